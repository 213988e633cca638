"""The words models are written in.  A model becomes one of pandera's when it is first asked to check.

What columns there are, of which types, and which may be null is known without pandera, which takes a
third of a second to import: a command that only reads what a run kept (`luohu explain`) need not wait.
"""

from collections.abc import Callable
from functools import cache
from inspect import get_annotations
from types import new_class
from typing import TYPE_CHECKING, Any, NamedTuple


class Declared(NamedTuple):
    """What a model says of a column, or a check of one, for pandera to make."""

    make: str
    given: tuple[Any, ...]
    named: dict[str, Any]
    function: Callable[..., Any] | None = None

    def made(self) -> Any:
        """The same as pandera has it."""
        import pandera.polars as pa

        found = getattr(pa, self.make)(*self.given, **self.named)
        return found if self.function is None else found(self.function)


class Column(NamedTuple):
    """A column of a model."""

    type: Any
    nullable: bool
    metadata: dict[str, Any] | None


class Kind(type):
    """A class of declarations; whatever else is asked of it, its pandera model answers."""

    def __getattr__(cls, name: str) -> Any:
        """What pandera's model of this class has under a name."""
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(pandera_model(cls), name)


@cache
def pandera_model(model: Any) -> Any:
    """A model as pandera's."""
    import pandera.polars as pa

    if model is DataFrameModel:
        return pa.DataFrameModel
    own = {
        name: value.made() if isinstance(value, Declared) else value
        for name, value in vars(model).items()
        if name not in {"__dict__", "__weakref__"}
    }
    own["__annotations__"] = get_annotations(model)
    bases = tuple(map(pandera_model, model.__bases__))
    return new_class(model.__name__, bases, exec_body=lambda into: into.update(own))


def columns(model: Any) -> dict[str, Column]:
    """The columns of a model, in order."""
    found = {}
    for each in reversed(model.__mro__):
        for name, kind in get_annotations(each).items():
            said = vars(each).get(name)
            named = said.named if isinstance(said, Declared) else {}
            found[name] = Column(kind, named.get("nullable", False), named.get("metadata"))
    return found


if TYPE_CHECKING:  # a type checker sees what the declarations become
    from pandera.api.polars.types import PolarsData
    from pandera.polars import DataFrameModel, DataFrameSchema, Field, check
else:
    PolarsData = DataFrameSchema = Any

    class DataFrameModel(metaclass=Kind):
        """What every model is based on."""

    def Field(**named: Any) -> Declared:  # noqa: N802 (pandera calls it so)
        """What a model says of a column."""
        return Declared("Field", (), named)

    def check(*given: Any, **named: Any) -> Callable[[Callable[..., Any]], Declared]:
        """Mark a function as a check of columns."""
        return lambda function: Declared("check", given, named, function)


__all__ = ["DataFrameModel", "DataFrameSchema", "Field", "PolarsData", "check", "columns"]
