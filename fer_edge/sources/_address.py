"""Addresses of network cameras: adding the password, hiding it, and explaining a failure."""

import http.client
import socket
import ssl
import urllib.error
from urllib.parse import quote, urlsplit, urlunsplit

PORTS = {"http": 80, "https": 443, "rtsp": 554, "rtsps": 322}
ADVICE = {
    401: "asks for a password; set username and password_file",
    403: "denies access; check username and password_file",
    404: "knows no such path; check the address",
}
NO_ANSWER = "no answer within source.open_timeout_s; check address and network"
PICTURES = ("multipart/", "video/", "image/", "application/octet-stream")


def printable_address(url: str) -> str:
    """The address for logs and errors: without user, password and query, where some cameras keep a key."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def address_with_password(url: str, username: str | None, password: str | None) -> str:
    """The address as FFmpeg wants it; only `open` ever sees it."""
    parts = urlsplit(url)
    user = quote(username, safe="") if username else parts.netloc.rpartition("@")[0]
    if not user:
        return url
    if password is not None:
        user += ":" + quote(password, safe="")
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{user}@{host}"))


def explain_failure(url: str, *, timeout_s: float) -> str:
    """Why FFmpeg could not open this address, in a few words; FFmpeg itself does not tell.

    Asks once more, without the password, and reads no further than the headers.
    """
    try:
        return _probe(url, timeout_s)
    except (OSError, ValueError, http.client.HTTPException) as error:
        return explain_error(url, error)


def explain_error(url: str, error: Exception) -> str:
    """Why a camera could not be asked, in a few words."""
    if isinstance(error, urllib.error.HTTPError):
        return explain_status(error.code)
    if isinstance(error, urllib.error.URLError) and isinstance(error.reason, OSError):
        error = error.reason
    if isinstance(error, TimeoutError):
        return NO_ANSWER
    if isinstance(error, socket.gaierror):
        return f"no such host as {urlsplit(url).hostname}; check the address"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate cannot be trusted ({error.verify_message})"
    if isinstance(error, http.client.HTTPException):
        return "answers, but not with HTTP; check the address"
    return f"{getattr(error, 'strerror', None) or error}; check that the camera is on"


def explain_status(status: int) -> str:
    """What a status from 400 on means."""
    return f"the camera answers {status} and {ADVICE.get(status, 'check the camera')}"


def no_pictures(content: str) -> str:
    """Why an answer of this kind is of no use."""
    return f"is {content}, not a stream of pictures; check the path"


def _probe(url: str, timeout_s: float) -> str:
    parts = urlsplit(url)
    if parts.scheme in {"http", "https"}:
        return _probe_http(url, timeout_s)
    address = (parts.hostname or "", parts.port or PORTS[parts.scheme])
    with socket.create_connection(address, timeout_s):
        return "answers, but FFmpeg can open no stream; check path, username, password_file"


def _probe_http(url: str, timeout_s: float) -> str:
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=timeout_s)
    try:
        path = urlunsplit(("", "", parts.path or "/", parts.query, ""))
        connection.request("GET", path, headers={"User-Agent": "fer-edge"})
        answer = connection.getresponse()
        content = answer.headers.get_content_type()
        if answer.status >= 400:
            return explain_status(answer.status)
        if not content.startswith(PICTURES):
            return no_pictures(content)
        return f"is {content}, but FFmpeg finds no pictures in it"
    finally:
        connection.close()
