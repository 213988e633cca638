"""What Prefect gets to know of a failure: one sentence, no traceback."""

from typing import Any

from prefect.client.schemas.objects import State
from prefect.states import Failed

from flows.common.failures import Failure
from flows.common.shapes import visible
from transforms.policy import PolicyError


def failed(failure: Failure | PolicyError) -> State[Any]:
    """A failed state whose message is the failure's, in one line."""
    return Failed(message=visible("; ".join(str(failure).splitlines())), data=failure)
