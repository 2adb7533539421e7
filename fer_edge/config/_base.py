"""What all sections of the configuration share."""

from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Seconds = Annotated[float, Field(gt=0.0, le=86400.0)]

ADDRESS_ADVICE = (
    "an address with a password in it shows up in process lists and logs; "
    "put the password into a file of its own and name that file in password_file"
)


class Section(BaseModel):
    """Base of all sections."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    @field_validator("*")
    @classmethod
    def _no_null_character(cls, value: Any) -> Any:
        """No file name and no address may hold one: opening it would be an error of another kind."""
        if isinstance(value, str | Path) and "\0" in str(value):
            raise ValueError("holds a null character; write it without")
        return value


def without_password(url: str) -> str:
    """The address, if it holds no password; else a ValueError."""
    if urlsplit(url).password is not None:
        raise ValueError(ADDRESS_ADVICE)
    return url


def check_port(url: str) -> None:
    """`urlsplit` raises ValueError on a port that is no number, or above 65535."""
    if urlsplit(url).port == 0:
        raise ValueError("has port 0; leave the port out for the usual one")
