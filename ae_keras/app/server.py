"""The page's server, and how it begins and ends."""

import contextlib
import importlib
import os
import signal
import socket
import tempfile
import threading
from typing import Any

from ae_keras.app.files import FOLDER_VARIABLE
from ae_keras.system.invocation import install

# Bytes of an uploaded file for each pixel that it may have: 16 bits in four channels.
_BYTES_OF_PIXEL = 8


def serve(host: str, port: int, max_megapixels: float) -> None:
    """Serve the page until Ctrl-C; then nothing of it is left.

    Args:
        host: str. The address to listen at; that of this machine alone is `"127.0.0.1"`.
        port: int. To listen at.
        max_megapixels: float. Larger photographs are refused.

    Raises:
        ModuleNotFoundError: if Gradio is not installed.
        OSError: if the address or the port cannot be had.
    """
    _check_port(host, port)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # Gradio looks for these when it is imported.
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    with tempfile.TemporaryDirectory(prefix="ae-keras-app-") as folder:
        os.environ[FOLDER_VARIABLE] = os.path.realpath(folder)
        with contextlib.suppress(KeyboardInterrupt):
            _launch(host, port, max_megapixels)


def _check_port(host: str, port: int) -> None:
    if not 0 < port < 2**16:
        raise ValueError(f"--port must be from 1 to 65535. Received: {port}")
    try:
        with socket.create_server((host, port)):
            pass
    except OSError as error:
        reason = error.strerror or str(error)
        raise OSError(
            f"Cannot listen at {host}:{port}: {reason}. Choose another --port or --host."
        ) from error


def _launch(host: str, port: int, max_megapixels: float) -> None:
    page_module = _import_page()
    page = page_module.make_page(max_megapixels)
    page.queue(api_open=False)
    try:
        _, url, _ = page.launch(
            server_name=host,
            server_port=port,
            theme=page_module.THEME,
            css=page_module.STYLE,
            max_file_size=int(max_megapixels * 1_000_000 * _BYTES_OF_PIXEL),
            share=False,
            ssr_mode=False,
            mcp_server=False,
            enable_monitoring=False,
            run_history=False,
            footer_links=[],
            show_error=True,
            quiet=True,
            inline=False,
            prevent_thread_lock=True,
        )
        print(f"The page is at {url} (Ctrl-C ends it)", flush=True)
        threading.Event().wait()
    finally:
        page.close(verbose=False)


def _import_page() -> Any:
    try:
        return importlib.import_module("ae_keras.app.page")
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "gradio":
            raise
        raise ModuleNotFoundError(
            f"The page needs Gradio. Install it with: {install('app')}", name="gradio"
        ) from error
