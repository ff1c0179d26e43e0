"""Platform bytes to Events and back: one module per encoding, and how each says that a message was refused."""

from gateway.codecs.codec import Codec, Message, MessageError, RequestFields, is_plain_id
from gateway.codecs.form import FormCodec
from gateway.codecs.json_codec import JsonCodec
from gateway.codecs.text import TextCodec
from gateway.routes import Route

__all__ = ["Codec", "Message", "MessageError", "RequestFields", "codec_of", "is_plain_id"]


def codec_of(route: Route) -> Codec | None:
    """The codec that judges this route; None where nothing on it is judged."""
    match route.codec:
        case "json":
            return JsonCodec(route)
        case "form":
            return FormCodec(route)
        case "text":
            return TextCodec(route)
        case "opaque":
            return None
