"""The tests know no environment: what a machine says of AWS, of proxies or of workers is forgotten before the first."""

import os

from hypothesis import settings

_FORGOTTEN = ("AWS_", "WORKERS_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")

for name in [name for name in os.environ if name.upper().startswith(_FORGOTTEN)]:
    del os.environ[name]

# Neither files of the person who runs the tests nor a metadata service gives credentials.
os.environ["AWS_CONFIG_FILE"] = os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull
os.environ["AWS_EC2_METADATA_DISABLED"] = "true"

# The same examples in every run, and no example is timed: a slow machine is no fault.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")
