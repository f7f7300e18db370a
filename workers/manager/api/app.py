"""The REST API, put together."""

from typing import Any

from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response

from workers.callbacks.callbacks import Callbacks
from workers.manager.api import callbacks as callback_routes
from workers.manager.api import definitions, registry, stream, workflows
from workers.manager.api.answers import answer, done
from workers.manager.api.bodies import Bodies
from workers.manager.api.depends import Definitions, ManagerHere, failures
from workers.manager.api.document import document
from workers.manager.api.failures import add_failures
from workers.manager.api.guard import Guard, Tokens
from workers.manager.api.measuring import Measured, Measures
from workers.manager.manager import LocalManager
from workers.manager.model import Count
from workers.version import __version__

MAX_BODY = 32 * 2**20
"""Bytes of a request's body: an input that is offloaded may be large."""


def make_app(
    manager: LocalManager | None = None,
    *,
    tokens: Tokens | None = None,
    any_host: bool = False,
    max_body: int = MAX_BODY,
    measures: Measures | None = None,
    callbacks: Callbacks | None = None,
) -> FastAPI:
    """The API on `manager`; without one, to be looked at.

    `tokens`: who may ask; `any_host`: without tokens, whether requests may come under any name of this machine.
    `max_body`: bytes of a request's body. `callbacks`: open ones, for `POST /callbacks/{key}`.
    """
    app = FastAPI(
        title="Workflow manager",
        summary="Definitions with versions, workflows, queues and namespaces on AWS Step Functions.",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        separate_input_output_schemas=False,
        redirect_slashes=False,
    )
    app.state.manager = manager
    app.state.definitions = Definitions()
    app.state.callbacks = callbacks
    for part in (definitions, workflows, registry, stream, callback_routes):
        app.include_router(part.router)
    _add_service(app, measures)
    add_failures(app)
    app.openapi = lambda: document(app)  # type: ignore[method-assign]  # how FastAPI wants it replaced
    app.add_middleware(GZipMiddleware, minimum_size=1_024)
    app.add_middleware(Bodies, limit=max_body)
    app.add_middleware(Guard, tokens=tokens or Tokens(), any_host=any_host)
    if measures:
        app.add_middleware(Measured, measures=measures)
    return app


def _add_service(app: FastAPI, measures: Measures | None) -> None:
    """What is asked of the service itself."""

    @app.head("/livez", include_in_schema=False)
    @app.get("/livez", include_in_schema=False)  # as a worker answers, so that one image checks the health of both
    @app.head("/_health", include_in_schema=False)  # as some load balancers ask
    @app.get("/_health", tags=["service"], operation_id="healthCheck", response_class=Response)
    async def health() -> Response:
        """Whether the service runs; it asks nobody else."""
        return done()

    @app.get(
        "/workflow-counts",
        tags=["workflows"],
        operation_id="getWorkflowCounts",
        response_model=list[Count],
        responses=failures(),
    )
    async def workflow_counts(manager: ManagerHere) -> Response:
        """How many workflows there are, by definition, version, status and whether they are resolved."""
        return answer(await manager.counts())

    @app.head("/openapi.json", include_in_schema=False)
    @app.get("/openapi.json", include_in_schema=False)
    async def openapi() -> Response:
        """This document."""
        found: dict[str, Any] = app.openapi()
        return answer(found)

    @app.head("/metrics", include_in_schema=False)
    @app.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        """The numbers of the service, for Prometheus."""
        if measures is None or app.state.manager is None:
            return Response(status_code=404)
        return Response(await measures.text(app.state.manager.store), media_type=measures.media_type)
