from typing import Any

from django.conf import settings

settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], SECRET_KEY="any", MIDDLEWARE=[])

from django.core.asgi import get_asgi_application  # noqa: E402 - the settings come first
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse  # noqa: E402
from django.urls import include, path, re_path  # noqa: E402

import miharu  # noqa: E402
from tests.frameworks.model import aask, ask  # noqa: E402
from tests.frameworks.places import awaited, chunks, slug, sync_chunks  # noqa: E402


async def in_a_view(request: HttpRequest, place: str, key: int) -> HttpResponse:
    return HttpResponse(await awaited(place))


def sync_view(request: HttpRequest, key: str) -> HttpResponse:
    ask("sync-view")
    return HttpResponse("ok")


async def stream(request: HttpRequest, key: int) -> StreamingHttpResponse:
    return StreamingHttpResponse(chunks("streaming response"))


def sync_stream(request: HttpRequest, key: int) -> StreamingHttpResponse:
    return StreamingHttpResponse(sync_chunks("sync streaming response"))


async def mounted(request: HttpRequest, key: int) -> HttpResponse:
    await aask(slug("mounted app"))
    return HttpResponse("ok")


urlpatterns: list[Any] = [
    path("await/<slug:place>/<int:key>", in_a_view),
    re_path(r"^sync-view/(?P<key>[0-9]{1,9})$", sync_view),
    path("streaming-response/<int:key>", stream),
    path("sync-streaming-response/<int:key>", sync_stream),
    path("mounted-app/", include([path("<int:key>", mounted)])),
]
app = miharu.MiharuMiddleware(get_asgi_application())  # type: ignore[arg-type] # it is untyped
