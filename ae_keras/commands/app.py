"""Open a page in the browser: compress, compare, denoise, colourize, look into latents and runs."""

from ae_keras.command_line import Namespace, Parser

EXAMPLES = """\
examples:
  ae-keras app
  ae-keras app --port 8000 --max-megapixels 50

The page is for this machine alone, unless --host says otherwise. It needs the extra [app]. Files of
its users are in a folder of its own, which is gone when it ends.
"""


def make_parser() -> Parser:
    """Return the parser of the command line."""
    parser = Parser(description=__doc__, epilog=EXAMPLES)
    address = "listen at this address (default: %(default)s, which only this machine reaches)"
    parser.add_argument("--host", default="127.0.0.1", help=address)
    port = "listen at this port (default: %(default)s)"
    parser.add_argument("--port", type=int, default=7860, metavar="N", help=port)
    limit = "refuse larger photographs (default: %(default)s)"
    parser.add_argument("--max-megapixels", type=float, default=24, metavar="N", help=limit)
    parser.set_defaults(needs_tensorflow=False)
    return parser


def main(arguments: Namespace) -> None:
    """Serve the page until Ctrl-C."""
    from ae_keras.app.server import serve

    if not arguments.max_megapixels > 0:
        raise ValueError(f"--max-megapixels must be above 0. Received: {arguments.max_megapixels}")
    serve(arguments.host, arguments.port, arguments.max_megapixels)
