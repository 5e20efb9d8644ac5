"""What a call raises: `NetError` if the call itself failed, `RemoteError` if the function did."""

from __future__ import annotations

import builtins
from typing import Any, Dict, List, Optional, Sequence, Type

#: Failures after which the same call can be made again: it has not run.
RETRIABLE = ("NOT_SENT", "REFUSED", "OVERLOADED", "NO_SUCH_TAG")
#: Control flow of Python. A remote error must not end somebody's loop.
_NOT_RAISED = (StopIteration, StopAsyncIteration)


class NetError(Exception):
    """The call failed, not the function. `docs/errors.md` explains each `code`.

    `ran` says whether the function ran: 'no', 'yes' or 'unknown'. If `retriable` is true, it did not run, and it is worth another try.
    """

    def __init__(self, code: str, ran: str, message: str, *, peer: Optional[str] = None,
                 tag: Optional[str] = None) -> None:
        super().__init__(message)
        self.code = code
        self.ran = ran
        self.peer = peer
        self.tag = tag
        self.retriable = ran == "no" and code in RETRIABLE

    def __str__(self) -> str:
        return f"{self.code}: {super().__str__()} (ran: {self.ran})"


class RemoteError(Exception):
    """An error that a function in another process threw.

    If Python or `register_error` knows the class, the error is an instance of that class as well: `except ValueError` works.

    `name`, `message`, `stack` and `code` are the other side's. `classes` are the names of its classes, the most derived first.
    `properties` are its other properties. `errors` are those of an AggregateError.
    """

    name: str = "Error"
    message: str = ""
    stack: Optional[str] = None
    code: Any = None
    classes: Sequence[str] = ()
    properties: Dict[str, Any] = {}
    errors: Optional[List[Any]] = None

    def __str__(self) -> str:
        return self.message


class Thrown(RemoteError):
    """What JavaScript threw, where that was no error: `throw 'text'`. Raise one to throw such a `value` at the caller."""

    def __init__(self, value: Any) -> None:
        super().__init__(value)
        self.value = value
        self.name = "Thrown"
        self.message = f"the function threw {value!r}, which is no error"


_classes: Dict[str, Type[Exception]] = {}
_made: Dict[Type[Exception], Type[RemoteError]] = {}


def register_error(cls: Type[Exception], name: Optional[str] = None) -> Type[Exception]:
    """Makes errors of this class arrive as this class. Can be used as a decorator. Its constructor is not called.

    `name` is its name on the wire; default: the name of the class.
    """
    if not (isinstance(cls, type) and issubclass(cls, Exception)):
        raise TypeError(f"register_error: {cls!r} is not a class of exceptions")
    called = name or cls.__name__
    if _known(called) not in (None, cls):
        raise ValueError(f"register_error: another class has the name {called}; give another name as the second argument")
    _classes[called] = cls
    return cls


def registered_name(cls: type) -> str:
    return next((name for name, each in _classes.items() if each is cls), cls.__name__)


def remote_error(names: Sequence[str]) -> RemoteError:
    """An error of the first of these classes that is known here, with nothing in it yet."""
    for name in names:
        known = _known(name)
        if known:
            return _class_of(known)
    return RemoteError()


def _known(name: str) -> Optional[Type[Exception]]:
    if name in _classes:
        return _classes[name]
    own = getattr(builtins, name, None)
    is_error = isinstance(own, type) and issubclass(own, Exception) and not issubclass(own, _NOT_RAISED)
    return own if is_error else None


def _class_of(known: Type[Exception]) -> RemoteError:
    made = _made.get(known)
    try:
        if made is None:
            made = _made[known] = type(known.__name__, (RemoteError, known), {})
        return made.__new__(made)
    except Exception:  # the class belongs to the user, and may refuse anything
        return RemoteError()


class BadFrame(Exception):
    """The other side broke the protocol: the connection ends with `code`."""

    def __init__(self, message: str, code: int = 4400) -> None:
        super().__init__(message)
        self.code = code


class Unreadable(Exception):
    """A value cannot be made here. Only its call fails."""
