"""How the attributes of a card's parts behave, and what the parts have in common.

A :class:`Part` is a class of attributes that are written into a card. Each attribute is one of five descriptors:

=================  ==============================================================================================
:class:`Plain`     takes anything; what it may be in the end is judged when the card is saved
:class:`Chosen`    takes a member of an enumeration, or its exact text, or None; gives the member
:class:`One`       takes a part, or a dict that becomes one, or None
:class:`Many`      takes a list or None, which is an empty list; gives a :class:`Listed` that keeps its limits
:class:`Unwritten` takes a value of one class, and is never written
=================  ==============================================================================================

A part that was read from a document is written as it was read: with its order of keys, and without the lists that
the document left out. One that was made in a program has the order of its constructor, and its empty lists.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, MutableSequence
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypeVar, overload

from driftline.cards.errors import CardAttributeError, CardTypeError, CardValueError
from driftline.cards.limits import RULES
from driftline.documents import nearest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from enum import StrEnum

__all__ = ["Chosen", "Field", "Listed", "Many", "One", "Part", "Plain", "Unwritten", "plain"]

Got = TypeVar("Got")
Given = TypeVar("Given")
Member = TypeVar("Member", bound="StrEnum")
PartT = TypeVar("PartT", bound="Part")
Item = TypeVar("Item")


class Field(Generic[Got, Given]):
    """An attribute of a :class:`Part`; its value is kept in the instance as ``_<name>``."""

    name: str
    owner: type[Part]

    def __set_name__(self, owner: type[Part], name: str) -> None:
        self.owner = owner
        self.name = name

    @overload
    def __get__(self, instance: None, owner: type[Part]) -> Self: ...
    @overload
    def __get__(self, instance: Part, owner: type[Part]) -> Got: ...
    def __get__(self, instance: Part | None, owner: type[Part]) -> Self | Got:
        if instance is None:
            return self
        value: Got = instance.__dict__[f"_{self.name}"]
        return value

    def __set__(self, instance: Part, value: Given) -> None:
        instance.__dict__[f"_{self.name}"] = self.taken(instance, value)
        instance.note(self.name)

    def taken(self, instance: Part, value: Any) -> Any:  # noqa: ARG002
        """Return what is kept of a value that is assigned, or refuse it."""
        return value

    @property
    def place(self) -> str:
        """The attribute in words of errors: ``Class.attribute``."""
        return f"{self.owner.__name__}.{self.name}"

    def refuse(self, message: str, fix: str | None = None) -> CardValueError:
        """Build (not raise) the error for a value that the attribute does not take."""
        return CardValueError(message, field=self.place, fix=fix)


class Plain(Field[Given, Given]):
    """An attribute that takes anything; :func:`driftline.cards.validation.problems` judges it."""


class Unwritten(Field[Given | None, Given | None]):
    """An attribute that is kept in memory only: it is neither written nor compared.

    Parameters
    ----------
    kind : type
        The class of its values.
    """

    def __init__(self, kind: type[Given]) -> None:
        self.kind = kind

    def taken(self, instance: Part, value: Any) -> Any:  # noqa: ARG002
        """Take None, or an instance of the class."""
        if value is not None and not isinstance(value, self.kind):
            raise self.refuse(f"expected a {self.kind.__name__}, found {_class(value)}")
        return value


class Chosen(Field[Member | None, Member | str | None]):
    """An attribute that is a member of an enumeration.

    Parameters
    ----------
    enum : type of StrEnum
    """

    def __init__(self, enum: type[Member]) -> None:
        self.enum = enum

    def taken(self, instance: Part, value: Any) -> Any:  # noqa: ARG002
        """Take None, a member, or the exact text of one."""
        if value is None or isinstance(value, self.enum):
            return value
        members = {member.value: member for member in self.enum}
        if isinstance(value, str) and str(value) in members:
            return members[str(value)]
        if isinstance(value, Enum):
            names = ", ".join(sorted(f"{self.enum.__name__}.{member.name}" for member in self.enum))
            found = f"{type(value).__name__}.{value.name}"
            raise self.refuse(f"expected one of {names}, found {found}")
        close = nearest(value, members) if isinstance(value, str) else None
        raise self.refuse(
            f"expected one of {', '.join(sorted(members))}, found {value!r}",
            fix=f"did you mean {close!r}?" if close else None,
        )


class One(Field[PartT | None, PartT | Mapping[str, Any] | None]):
    """An attribute that is another part.

    Parameters
    ----------
    kind : type of Part
    """

    def __init__(self, kind: type[PartT]) -> None:
        self.kind = kind

    def taken(self, instance: Part, value: Any) -> Any:  # noqa: ARG002
        """Take None, an instance, or a mapping that becomes one."""
        if value is None or isinstance(value, self.kind):
            return value
        if isinstance(value, Mapping):
            return self.kind.from_content(value)
        raise self.refuse(f"expected {_article(self.kind.__name__)} or a dict, found {_class(value)}")


class Many(Field["Listed[Item]", "list[Item] | list[dict[str, Any]] | Listed[Item] | None"], Generic[Item]):
    """An attribute that is a list of one class.

    Parameters
    ----------
    kind : type
        Of the items: ``str`` or a :class:`Part`.
    limit : int, optional
        The most items it may have.
    """

    def __init__(self, kind: type[Item], limit: int | None = None) -> None:
        self.kind = kind
        self.limit = limit

    def taken(self, instance: Part, value: Any) -> Any:  # noqa: ARG002
        """Take a list, or None as an empty one; dicts become parts where the first item is a dict."""
        if value is None:
            value = []
        if not isinstance(value, (list, Listed)):
            raise self.refuse(f"expected a list, found {_class(value)}")
        if value and isinstance(value[0], Mapping) and issubclass(self.kind, Part):
            value = [self.kind.from_content(v) if isinstance(v, Mapping) else v for v in value]
        return Listed(self.kind, self.limit, value, place=self.place)


class Listed(MutableSequence[Item]):
    """A list with one class of items and a most number of them.

    It equals the plain list of the same items.

    Parameters
    ----------
    kind : type
        Class of the items.
    limit : int or None, optional
        The most items it may have; None: any number.
    items : iterable, optional
    place : str, optional
        What errors call it.

    Raises
    ------
    CardTypeError
        For an item of another class (a ``TypeError``).
    CardValueError
        When there are too many (a ``ValueError``); also on insertion, later.

    Examples
    --------
    >>> names = Listed(str, 2, ["a"])
    >>> names.append("b")
    >>> names == ["a", "b"], len(names)
    (True, 2)
    """

    __hash__ = None  # type: ignore[assignment]

    def __init__(
        self, kind: type[Item], limit: int | None = None, items: Iterable[Item] = (), *, place: str = "list"
    ) -> None:
        self._kind = kind
        self._limit = limit
        self._place = place
        self._items: list[Item] = self._checked(items)
        self._fits(len(self._items))

    def _checked(self, items: Iterable[Any]) -> list[Item]:
        taken = list(items)
        for item in taken:
            if not isinstance(item, self._kind):
                raise CardTypeError(
                    f"expected items of class {self._kind.__name__}, found {_class(item)}", field=self._place
                )
        return taken

    def _fits(self, size: int) -> None:
        if self._limit is not None and size > self._limit:
            raise CardValueError(f"has room for {self._limit} items, not for {size}", field=self._place)

    def __len__(self) -> int:
        return len(self._items)

    @overload
    def __getitem__(self, index: int) -> Item: ...
    @overload
    def __getitem__(self, index: slice) -> list[Item]: ...
    def __getitem__(self, index: int | slice) -> Item | list[Item]:
        return self._items[index]

    def __setitem__(self, index: int | slice, value: Any) -> None:
        changed = list(self._items)
        if isinstance(index, slice):
            changed[index] = self._checked(value)
        else:
            changed[index] = self._checked([value])[0]
        self._fits(len(changed))
        self._items = changed

    def __delitem__(self, index: int | slice) -> None:
        del self._items[index]

    def __iter__(self) -> Iterator[Item]:
        return iter(self._items)

    def insert(self, index: int, value: Item) -> None:
        """Insert an item, as :meth:`list.insert` does."""
        self._checked([value])
        self._fits(len(self._items) + 1)
        self._items.insert(index, value)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Listed):
            return bool(self._items == other._items)
        return self._items == other if isinstance(other, list) else NotImplemented

    def __repr__(self) -> str:
        return repr(self._items)

    def to_map(self, key_attribute: str) -> dict[Any, Item]:
        """Return the items by one of their attributes; of several with the same value the last one.

        Parameters
        ----------
        key_attribute : str
            Items without it, or where it is empty, are left out.
        """
        found = ((getattr(item, key_attribute, None), item) for item in self._items)
        return {key: item for key, item in found if key}


class Part:
    """A part of a card: a class whose attributes are :class:`Field` descriptors, in the order of its constructor."""

    _fields: ClassVar[Mapping[str, Field[Any, Any]]] = {}
    _needs: ClassVar[tuple[str, ...]] = ()  # what the constructor has no default for
    _path: ClassVar[str | None] = None  # pattern of driftline.cards.limits.RULES at which such a part stands

    def __init_subclass__(cls, path: str | None = None, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls._fields = {**cls._fields, **{k: v for k, v in vars(cls).items() if isinstance(v, Field)}}
        cls._path = path if path is not None else cls._path
        parameters = inspect.signature(cls.__init__).parameters.values()
        cls._needs = tuple(p.name for p in parameters if p.default is p.empty and p.name in cls._fields)

    @classmethod
    def _is_required(cls, name: str) -> bool:
        rule = RULES.get(f"{cls._path}.{name}")
        return rule is not None and rule.required

    def __setattr__(self, name: str, value: Any) -> None:
        if not name.startswith("_") and not hasattr(type(self), name):
            close = nearest(name, self._fields)
            raise CardAttributeError(
                f"{type(self).__name__} has no attribute {name!r}",
                fix=f"did you mean {close!r}?" if close else f"it has {', '.join(self._fields)}",
            )
        super().__setattr__(name, value)

    def note(self, name: str) -> None:
        """Remember that an attribute was assigned: it is written from now on, even where the document had none."""
        read: tuple[str, ...] | None = self.__dict__.get("_read")
        if read is not None and name not in read:
            self.__dict__["_read"] = (*read, name)

    def to_content(self) -> dict[str, Any]:
        """Return the part as plain JSON values, without what is None.

        Returns
        -------
        dict
            New in every part: changing it does not change this object.
        """
        read: tuple[str, ...] | None = self.__dict__.get("_read")
        content = {}
        for name in (*(read or ()), *(n for n in self._fields if not read or n not in read)):
            field = self._fields[name]
            value = getattr(self, name)
            left_out = read is not None and name not in read and not self._is_required(name)
            if isinstance(field, Many) and value:  # an item was added since
                left_out = False
            if value is not None and not left_out and not isinstance(field, Unwritten):
                content[name] = plain(value)
        return content

    @classmethod
    def from_content(cls, content: Mapping[str, Any]) -> Self:
        """Make the part from what a document says.

        Parameters
        ----------
        content : mapping
            As :meth:`to_content` gives it; null counts as left out.

        Raises
        ------
        CardTypeError
            For a key that the part does not have, or one that is required and missing (a ``TypeError``).
        CardValueError
            For a value that an attribute does not take (a ``ValueError``).
        """
        if not isinstance(content, Mapping):
            raise CardTypeError(f"{cls.__name__} is made of a dict, not of {_class(content)}")
        fields = {name: f for name, f in cls._fields.items() if not isinstance(f, Unwritten)}
        unknown: list[Any] = [key for key in content if key not in fields]
        if unknown:
            close = nearest(unknown[0], fields) if isinstance(unknown[0], str) else None
            raise CardTypeError(
                f"{cls.__name__} has no field {unknown[0]!r}",
                fix=f"did you mean {close!r}?" if close else f"it has {', '.join(fields)}",
            )
        given = {name: plain(value) for name, value in content.items()}
        for name in cls._needs:
            if name not in given:
                if cls._is_required(name):
                    raise CardTypeError(f"{cls.__name__} needs {name!r}, which is missing")
                given[name] = None
        made = cls(**given)
        made.__dict__["_read"] = tuple(content)
        return made

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        compared = [name for name, field in self._fields.items() if not isinstance(field, Unwritten)]
        return all(getattr(self, name) == getattr(other, name) for name in compared)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        values = {name: getattr(self, name) for name in self._fields}
        told = {n: str(v) if isinstance(v, Enum) else v for n, v in values.items() if v not in (None, [])}
        shown = [f"{n}={v!r}" for n, v in told.items()]
        return f"{type(self).__name__}({', '.join(shown)})"


def plain(value: Any) -> Any:
    """Copy a value as plain JSON values: parts as dicts, list-likes and tuples as lists, members of enums as texts.

    Whatever else a value holds is left as it is, for validation to name.
    """
    if isinstance(value, Part):
        return value.to_content()
    if isinstance(value, Mapping):
        return {plain(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, Listed)):
        return [plain(item) for item in value]
    if isinstance(value, Enum) and isinstance(value, str):
        return str(value.value)
    return value


def _class(value: object) -> str:
    return _article(type(value).__name__)


def _article(word: str) -> str:
    return f"{'an' if word[:1].lower() in 'aeiou' else 'a'} {word}"
