"""`shieldwire serve`: the application on uvicorn, with one worker or several, and an end that loses nothing."""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import os
import signal
import socket
import ssl
import tempfile
import threading
from pathlib import Path
from typing import Any

import uvicorn
from anyio.from_thread import start_blocking_portal
from starlette.applications import Starlette
from uvicorn.supervisors import Multiprocess

from gateway.app import create_app
from gateway.identity import Identity
from gateway.routes import Hiding
from gateway.settings import ServerSettings, Settings, load_settings
from gateway.state.engine import Engine
from gateway.telemetry import configure_logging
from gateway.tokens import TokenVerifier
from gateway.wire.draining import DrainingHttp, DrainingWebSocket
from gateway.wire.fast_lane import FastLane

logger = logging.getLogger("shieldwire.serve")

CONFIG_VARIABLE = "SHIELDWIRE_CONFIG"
"""How spawned workers learn of the configuration file."""

ENGINE_VARIABLE = "SHIELDWIRE_ENGINE"
"""How they learn of the embedded engine that the parent runs for all of them."""

_WORKER_START_S = 60
_UNPROVEN = {
    "field": "every client may name itself as it likes",
    "header": "believe this header only behind a proxy that sets it; name that proxy in server.trusted_proxies",
}
_NO_HIDING = "these routes have neither [route.downlink] nor [route.hide]"
_NO_VIEWERS = 'identity.source = "field": no socket says whose it is, so nothing is withheld from anybody'
_METRICS_DIR = "PROMETHEUS_MULTIPROC_DIR"


class ServeError(Exception):
    """The gateway cannot be served as asked; the message says why. The fault is the operator's."""


def serve(config_file: Path | None, settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT. Raises `ServeError` and the errors of the embedded engine."""
    configure_logging()
    # uvicorn raises the signal again when it has shut down; as an exception it unwinds what is left here.
    signal.signal(signal.SIGTERM, _exit)
    server = settings.server
    _check_secrets(settings)
    _say_what_cannot_be_hidden(settings)
    _compile_lexicon(settings)
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(_listen(server))
        engine_url = ""
        if not settings.state.url:
            # Run here, in a thread's own loop, so that all workers share it and none of them takes it along.
            portal = stack.enter_context(start_blocking_portal())
            engine = Engine(Path(settings.state.data_dir))
            stack.enter_context(portal.wrap_async_context_manager(engine))
            engine_url = engine.url
        host, port = listener.getsockname()[:2]
        logger.info("listening", extra={"fields": {"host": host, "port": port, "workers": server.workers}})
        if server.workers == 1:
            uvicorn.Server(_uvicorn_config(server, create_app(settings, engine_url))).run([listener])
        else:
            os.environ[ENGINE_VARIABLE] = engine_url
            os.environ[_METRICS_DIR] = stack.enter_context(tempfile.TemporaryDirectory(prefix="shieldwire-metrics-"))
            if config_file is not None:
                os.environ[CONFIG_VARIABLE] = str(config_file)
            config = _uvicorn_config(server, "gateway.serve:worker_app", factory=True)
            Multiprocess(config, sockets=[listener]).run()


def worker_app() -> Starlette:
    """The application of one spawned worker; settings come the way the parent got them."""
    configure_logging()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    file = os.environ.get(CONFIG_VARIABLE)
    return create_app(load_settings(Path(file) if file else None, os.environ), os.environ[ENGINE_VARIABLE])


def _compile_lexicon(settings: Settings) -> None:
    """Compile the operator's own lexicon once, before the workers look for it; its faults end the start here."""
    if settings.policy.lexicon:
        from gateway.policy.base import base_scanner
        from gateway.policy.compiling import Rejected
        from gateway.policy.publishing import FOLDER

        try:
            base_scanner(settings.policy.lexicon, Path(settings.state.data_dir) / FOLDER)
        except Rejected as error:
            raise ServeError(f"[policy] lexicon: {error}") from error


def _end_with_parent() -> None:
    """Shut down when the parent is gone, be it by kill -9: nobody else would, and the port would stay taken."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)


def _check_secrets(settings: Settings) -> None:
    """Read every key and certificate once before anything starts: workers would fail one by one, again and again."""
    Identity(settings.identity)
    if settings.api.secret or settings.api.jwks:
        TokenVerifier(settings.api.secret, settings.api.jwks)
    if settings.server.certificate:
        try:
            ssl.create_default_context().load_cert_chain(settings.server.certificate, settings.server.key)
        except (OSError, ssl.SSLError) as error:
            raise ServeError(f"certificate and key cannot be used: {error}") from error
    if settings.identity.source in ("field", "header") and any(route.judged for route in settings.route):
        source = settings.identity.source
        logger.warning("identity-unproven", extra={"fields": {"source": source, "why": _UNPROVEN[source]}})


def _say_what_cannot_be_hidden(settings: Settings) -> None:
    """Name what operators may not expect: routes that refuse instead of hiding, a downlink without viewers."""
    refusing = [route.path for route in settings.route if route.judged and route.hiding is Hiding.REJECT]
    if refusing:
        logger.info("hidden-messages-are-refused", extra={"fields": {"routes": refusing, "why": _NO_HIDING}})
    if settings.identity.source == "field" and any(route.downlink for route in settings.route):
        logger.warning("downlink-without-viewers", extra={"fields": {"why": _NO_VIEWERS}})


def _exit(signal_number: int, _: object) -> None:
    raise SystemExit(0)


def _uvicorn_config(server: ServerSettings, app: Any, factory: bool = False) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        factory=factory,
        workers=server.workers,
        ws=FastLane if server.lane == "fast" else DrainingWebSocket,
        http=DrainingHttp,
        ws_max_size=server.max_frame,
        ws_per_message_deflate=False,
        log_config=None,
        access_log=False,
        # What the upstream says goes to the client as it is: no headers of the server's own.
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=max(1, round(server.drain_s)),
        timeout_worker_healthcheck=_WORKER_START_S,
        ssl_certfile=server.certificate or None,
        ssl_keyfile=server.key or None,
    )


def _listen(server: ServerSettings) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in server.host else socket.AF_INET
        listener = socket.create_server((server.host, server.port), family=family, backlog=2048)
    except OSError as error:
        raise ServeError(f"cannot listen on {server.host}:{server.port}: {error.strerror or error}") from error
    listener.set_inheritable(True)
    return listener
