"""What the probes of a running worker say while it may not use the key of its activity, and after that was mended."""

import json

import anyio

from tests.account import task
from tests.chaos.faults import Fault, always, no_faults
from tests.supervisor.stage import KNOWN_ACCOUNT, Stage


async def test_a_denial_of_kms_shows_in_readyz_until_it_is_mended_and_never_in_livez(stage: Stage) -> None:
    async with stage.scene("echo", *KNOWN_ACCOUNT, "--health-port", "0") as scene:
        scene.proxy.faults = always("GetActivityTask", Fault.KMS_DENIED)
        with anyio.fail_after(60):
            while not json.loads((found := await scene.page("/readyz"))[1])["problems"]:
                await anyio.sleep(0.02)
            ready = json.loads(found[1])
            assert (found[0], ready["ready"], ready["phase"]) == (503, False, "running")
            assert "KmsAccessDeniedException: The key of the activity" in ready["problems"]["work"]
            assert (await scene.page("/livez"))[0] == 200
            execution = await scene.account.start(task(scene.activity), "late")
            scene.proxy.faults = no_faults
            assert await scene.result(execution) == "late"
            while (found := await scene.page("/readyz"))[0] != 200:
                await anyio.sleep(0.02)
            assert json.loads(found[1]) == {"ready": True, "phase": "running", "problems": {}}
