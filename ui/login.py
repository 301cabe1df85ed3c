"""The login: one page, one password; which password it is decides what one may do."""

from __future__ import annotations

import base64
import hashlib
from html import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from ui.access import is_admin
from ui.gate import COOKIE, TooOften, Visitors, address, too_often
from ui.limits import refused

_STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
body { display: grid; place-items: center; min-height: 90vh; margin: 0; }
main { width: min(22rem, 90vw); }
h1 { font-size: 1.4rem; }
label, input, button { display: block; width: 100%; box-sizing: border-box; font: inherit; }
input, button { margin: .3rem 0 1rem; padding: .6rem; }
"""
_POLICY = (
    "default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; "
    f"style-src 'sha256-{base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}'"
)


def login_routes(visitors: Visitors) -> list[Route]:
    """`/login` and `/logout`."""

    async def show(request: Request) -> Response:
        return _page(_leave(request) if "reader" in visitors.by_cookie(request) else _FORM)

    async def enter(request: Request) -> Response:
        form = await request.form(max_files=0, max_fields=10)
        browser = "text/html" in request.headers.get("accept", "")
        try:
            roles = await visitors.enter(str(form.get("password", "")), address(request))
        except TooOften as error:
            return _page(_FORM, str(error), 429) if browser else too_often(request, error)
        if not roles:
            return _page(_FORM, "That is not the password.", 401) if browser else refused(401, "wrong password")
        response = RedirectResponse("/", 303) if browser else JSONResponse({"success": True})
        response.set_cookie(
            COOKIE,
            visitors.sessions.begin(roles),
            max_age=int(visitors.rules.session_seconds),
            secure=request.url.scheme == "https",
            httponly=True,
            samesite="lax",
        )
        return response

    async def leave(request: Request) -> Response:
        visitors.sessions.end(request.cookies.get(COOKIE, ""))
        response = RedirectResponse("/login", 303)
        response.delete_cookie(COOKIE)
        return response

    return [Route("/login", show), Route("/login", enter, methods=["POST"]), Route("/logout", leave, methods=["POST"])]


_FORM = """<form method="post" action="/login"><label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required autofocus>
<button>Log in</button></form>"""
_LEAVE = """<p>You are logged in as {role}.</p><p><a href="/">To the chat</a></p>
<form method="post" action="/logout"><button>Log out</button></form>"""


def _leave(request: Request) -> str:
    return _LEAVE.format(role="an admin" if is_admin(request) else "a reader")


def _page(body: str, message: str = "", status: int = 200) -> Response:
    said = f'<p role="alert">{escape(message)}</p>' if message else ""
    return HTMLResponse(
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Chapter &amp; Verse: log in</title>'
        '<meta name="viewport" content="width=device-width"><meta name="robots" content="noindex">'
        f"<style>{_STYLE}</style></head><body><main><h1>Chapter &amp; Verse</h1>{said}{body}</main></body></html>",
        status,
        {"Content-Security-Policy": _POLICY, "Cache-Control": "no-store"},
    )
