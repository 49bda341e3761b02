"""Photos on their way."""

from __future__ import annotations

from chalice.app import Blueprint

from handlers.http.endpoint import Call, Nothing, Reply, endpoint
from handlers.http.schemas.uploads import NewUploads, Upload, UploadForms
from handlers.http.texts.catalogue import text
from models.cases.uploads import Wanted

blueprint = Blueprint(__name__)


@endpoint(
    blueprint,
    "POST",
    "/v1/uploads",
    body=NewUploads,
    answer=UploadForms,
    status=201,
    errors=(429,),
)
def issue_uploads(call: Call[NewUploads, Nothing]) -> Reply:
    """Allow one to nine photos to be sent to the store."""
    wanted = [Wanted(**dict(item)) for item in call.body.items]
    return {"items": call.services.uploads.issue(call.actor, wanted, call.body.request_id)}


@endpoint(blueprint, "GET", "/v1/uploads/{upload_id}", answer=Upload)
def upload_state(call: Call[Nothing, Nothing]) -> Reply:
    """Tell the owner what became of a photo."""
    state = call.services.uploads.state(call.actor, call.params["upload_id"])
    reason = state["reason"]
    return {
        **state,
        "state_text": text(f"upload.{state['state']}", call.language),
        "reason_text": text(reason, call.language) if reason else None,
    }
