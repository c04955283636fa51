"""Classes of users without an assembler: what they are made of is read off their signatures (rule R15)."""

import dataclasses

import pytest

import pantler
from conftest import CCD, JOINTCAL, SINGLE_VISIT, TRACT, VISIT, new_calib, new_wcs
from pantler.component_info import ComponentInfo
from pantler.plugins import assemble, take_apart
from stand_ins import packages  # noqa: F401

KEYS = {"visit": VISIT, "ccd": CCD, "tract": TRACT}


def infos(**objects):
    return {name: ComponentInfo(name, name, each) for name, each in objects.items()}


class ByConstructor:
    def __init__(self, *, wcs, calib, title="none"):
        self.given = (wcs, calib, title)


class Setters:
    """Takes each component by another spelling."""

    def __init__(self):
        self.called = {}

    def set_wcs(self, value):
        self.called["set_wcs"] = value

    def setwcs(self, value):
        raise AssertionError("the first spelling counts")

    setWcs = setwcs

    def setcalib(self, value):
        self.called["setcalib"] = value

    def setPsf(self, value):
        self.called["setPsf"] = value


class Declared:
    wcs: object
    calib = None
    __slots__ = ("psf", "wcs", "__dict__")


del Declared.__slots__


class Slots:
    __slots__ = ("wcs",)


class WithProperty:
    def __init__(self):
        self.hidden = None

    @property
    def wcs(self):
        return self.hidden

    @wcs.setter
    def wcs(self, value):
        self.hidden = ("set", value)


@dataclasses.dataclass
class Data:
    wcs: object = None
    calib: object = None


class Empty:
    """An object that is empty and false is still an object."""

    def __init__(self, wcs):
        self.wcs = wcs

    def __bool__(self):
        return False

    def __len__(self):
        return 0


def test_a_constructor_that_takes_all_by_name_is_called():
    made = assemble(ByConstructor, infos(wcs=1, calib=2))
    assert made.given == (1, 2, "none")
    assert assemble(Data, infos(wcs=1, calib=2)) == Data(1, 2)


def test_setters_are_found_by_their_names_in_order():
    made = assemble(Setters, infos(wcs=1, calib=2, psf=3))
    assert made.called == {"set_wcs": 1, "setcalib": 2, "setPsf": 3}


def test_setters_that_the_policy_names_come_first():
    components = infos(wcs=1, calib=2)
    components["wcs"].setter = "setPsf"
    assert assemble(Setters, components).called == {"setPsf": 1, "setcalib": 2}
    components["wcs"].setter = "setNothing"
    with pytest.raises(pantler.PolicyError, match="setNothing"):
        assemble(Setters, components)


@pytest.mark.parametrize("cls", [Declared, Slots, WithProperty, Data])
def test_r15_attributes_that_the_class_declares_are_set(cls):
    made = assemble(cls, infos(wcs=1))
    assert made.wcs == (("set", 1) if cls is WithProperty else 1)


def test_r15_an_attribute_that_the_class_does_not_declare_is_refused():
    class Plain:
        def __init__(self):
            self.wcs = None

        @property
        def calib(self):
            return 1

    for name in ("wcs", "calib"):
        with pytest.raises(pantler.PolicyError, match=f"does not take `{name}`") as caught:
            assemble(Plain, infos(**{name: 1}))
        assert any("declare" in hint for hint in caught.value.hints)


def test_r15_an_object_that_is_empty_or_false_is_still_an_object():
    made = assemble(Empty, infos(wcs=0))
    assert not made and type(made) is Empty and made.wcs == 0
    assert take_apart(Empty, made, infos(wcs=None)) == {"wcs": 0}


def test_r15_an_error_inside_a_constructor_is_that_error():
    class Fails:
        def __init__(self, wcs=None):
            raise TypeError("unexpected keyword argument 'wcs'")

        def setWcs(self, value):
            raise AssertionError("nothing is tried after an error")

    with pytest.raises(TypeError, match="unexpected keyword argument"):
        assemble(Fails, infos(wcs=1))


def test_a_constructor_that_needs_more_is_said_so():
    class Needs:
        def __init__(self, place, wcs=None):
            pass

    with pytest.raises(pantler.PolicyError, match="needs place"):
        assemble(Needs, infos(wcs=1))


def test_components_come_out_by_getters_and_attributes():
    class Both:
        calib = 5

        def __init__(self):
            self.psf = 6

        def getWcs(self):
            return 4

        def look(self):
            return 7

    components = infos(wcs=None, calib=None, psf=None, other=None)
    components["other"].getter = "look"
    assert take_apart(Both, Both(), components) == {"wcs": 4, "calib": 5, "psf": 6, "other": 7}
    with pytest.raises(pantler.ReadOnlyError, match="does not give `nothing`"):
        take_apart(Both, Both(), infos(nothing=None))


CLASSES = '''
    class Container:
        """no-op constructor, setters and getters"""

        def setSrc(self, src):
            self.src = src

        def getSrc(self):
            return self.src

        def setWcs(self, wcs):
            self.wcs = wcs

        def getWcs(self):
            return self.wcs
'''


def test_a_class_of_the_users_is_put_and_got(packages, single_visit, tmp_path):
    packages({"survey.classes": CLASSES})
    from survey.classes import Container

    definition = {
        "python": Container,
        "composite": {"src": {"datasetType": "src"}, "wcs": {"datasetType": "jointcal_wcs"}},
    }
    policy = {"datasets": {**JOINTCAL["datasets"], "container": definition}}
    butler = pantler.Butler(inputs=single_visit, outputs=tmp_path / "out", policy=policy)
    made = Container()
    made.setSrc(butler.get("src", visit=VISIT, ccd=CCD))
    made.setWcs(new_wcs())
    done = butler.put(made, "container", KEYS)
    # The catalog is what it was, and is written nowhere again.
    assert done.written == ["wcs/8766/0903334-016.fits"] and done.unchanged == ["src"]

    again = pantler.Butler.open(tmp_path / "out")
    got = again.get("container", KEYS)
    assert type(got) is Container
    assert got.wcs is again.get("jointcal_wcs", KEYS)
    assert got.src is again.get("src", visit=VISIT, ccd=CCD)
    assert again.get("container.wcs", KEYS) is got.wcs
    with pytest.raises(pantler.PantlerError, match="are of class Container, and what is put is of class int"):
        butler.put(7, "container", KEYS, replace=True)


def test_r15_neither_named_and_a_class_that_gives_nothing_is_read_only(packages, single_visit, tmp_path):
    packages({"survey.closed": "class Closed:\n    def __init__(self, src, wcs):\n        pass\n"})
    definition = {
        "python": "survey.closed.Closed",
        "composite": {"src": {"datasetType": "src"}, "wcs": {"datasetType": "jointcal_wcs"}},
    }
    policy = {"datasets": {**JOINTCAL["datasets"], "closed": definition}}
    butler = pantler.Butler(inputs=single_visit, outputs=tmp_path / "out", policy=policy)
    butler.put(new_wcs(), "jointcal_wcs", KEYS)
    closed = butler.get("closed", KEYS)
    with pytest.raises(pantler.ReadOnlyError, match="does not give `src`") as caught:
        butler.put(closed, "closed", KEYS)
    assert "closed" in caught.value.__notes__[0]
