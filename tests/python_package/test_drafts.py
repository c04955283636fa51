"""Drafts: what an assembler changes is its own, and nothing else changes (rule R14)."""

import copy

import numpy as np
import pytest

import pantler
from conftest import CCD, JOINTCAL, SINGLE_VISIT, TRACT, VISIT, new_calib, new_wcs, simulated_exposure, tan
from pantler.drafts import draft, freeze, given
from stand_ins import packages  # noqa: F401

KEYS = {"visit": VISIT, "ccd": CCD, "tract": TRACT}


def pixels_of(exposure):
    """Where the pixels lie in memory."""
    return exposure.image.array.__array_interface__["data"]


def composite(python, components, assembler, **more):
    types = {name: {"datasetType": kind} for name, kind in components.items()}
    return {"python": python, "composite": types, "assembler": assembler, **more}


def opened(single_visit, tmp_path, definitions):
    policy = {"datasets": {**JOINTCAL["datasets"], **definitions}}
    butler = pantler.Butler(inputs=single_visit, outputs=tmp_path / "out", policy=policy)
    butler.put(new_wcs(), "jointcal_wcs", KEYS)
    butler.put(new_calib(), "jointcal_calib", KEYS)
    return butler


def test_r14_every_way_of_setting_changes_the_draft_alone():
    exposure = simulated_exposure()
    for change in (
        lambda d: d.setWcs(new_wcs()),
        lambda d: d.set_wcs(new_wcs()),
        lambda d: setattr(d, "wcs", new_wcs()),
        lambda d: d.setSkyWcs(new_wcs()),
    ):
        changed = draft(exposure)
        change(changed)
        assert changed.wcs == changed.getWcs() == changed.get_wcs() == new_wcs()
        assert freeze(changed).wcs == new_wcs()
        assert exposure.wcs != new_wcs()
        assert draft(exposure).wcs is exposure.wcs


def test_r14_a_draft_shares_pixels_that_cannot_be_written():
    exposure = simulated_exposure()
    changed = draft(exposure)
    changed.setWcs(new_wcs())
    frozen = freeze(changed)
    assert pixels_of(exposure) == pixels_of(changed) == pixels_of(frozen)
    with pytest.raises(ValueError):
        changed.image.array[0, 0] = 0


def test_r14_a_draft_stands_for_its_object():
    exposure = simulated_exposure()
    changed = draft(exposure)
    assert isinstance(changed, pantler.Exposure)
    assert changed == exposure and exposure == freeze(draft(exposure))
    assert changed.bbox == exposure.bbox and "wcs" in changed.component_names
    assert freeze(changed) is exposure
    table = draft(pantler.Table({"flux": np.arange(3.0)}))
    assert len(table) == 3 and list(table) == ["flux"] and "flux" in table and table["flux"][2] == 2
    with pytest.raises(AttributeError, match="no attribute or component"):
        changed.getNothing()


def test_r14_a_draft_is_frozen_with_its_composite(single_visit, tmp_path):
    kept = []

    def overlay(dataId, componentDict, classObj):
        exposure = componentDict["calexp"]
        exposure.setWcs(componentDict["wcs"])
        kept.append(exposure)
        return exposure

    components = {"calexp": "calexp:sfm", "wcs": "jointcal_wcs"}
    butler = opened(single_visit, tmp_path, {"updated": composite("Exposure", components, overlay)})
    exposure = butler.get("updated", KEYS)
    assert type(exposure) is pantler.Exposure
    with pytest.raises(AttributeError, match="cannot be changed any more"):
        kept[0].setWcs(simulated_exposure().wcs)
    assert exposure.wcs == new_wcs()
    # Drafts and composites are not shared, their leaves are.
    again = butler.get("updated", KEYS)
    assert again is not exposure and again.wcs is exposure.wcs and pixels_of(again) == pixels_of(exposure)


@pytest.mark.parametrize("how", ["attribute", "setter"])
def test_r14_a_catalog_takes_what_it_has_no_component_for(single_visit, tmp_path, how):
    def extended(dataId, componentDict, classObj):
        catalog = componentDict["src"]
        if how == "attribute":
            catalog.wcs = componentDict["wcs"]
            catalog.calib = componentDict["calib"]
        else:
            catalog.setWcs(componentDict["wcs"])
            catalog.setCalib(componentDict["calib"])
        return catalog

    components = {"src": "src", "wcs": "jointcal_wcs", "calib": "jointcal_calib"}
    butler = opened(single_visit, tmp_path, {"extended": composite("SourceCatalog", components, extended)})
    plain = butler.get("src", visit=VISIT, ccd=CCD)
    catalog = butler.get("extended", KEYS)
    assert type(catalog) is pantler.Table and catalog["flux"].sum() == plain["flux"].sum()
    assert catalog.wcs is butler.get("jointcal_wcs", KEYS)
    assert catalog.calib is butler.get("jointcal_calib", KEYS)
    assert catalog.bare == plain and catalog != plain
    # A later get of the same dataset shows no patch.
    assert not hasattr(butler.get("src", visit=VISIT, ccd=CCD), "wcs")
    with pytest.raises(AttributeError):
        catalog.wcs = None
    with pytest.raises(pantler.PantlerError, match="attached"):
        butler.put(catalog, "src", visit=VISIT, ccd=CCD)


@pytest.mark.parametrize("order", [("exposure", "catalog"), ("catalog", "exposure")])
def test_r13_composites_that_share_a_part_hold_one_object(single_visit, tmp_path, order):
    def overlay(dataId, componentDict, classObj):
        exposure = componentDict["calexp"]
        exposure.setWcs(componentDict["wcs"])
        return exposure

    def extended(dataId, componentDict, classObj):
        catalog = componentDict["src"]
        catalog.wcs = componentDict["wcs"]
        return catalog

    butler = opened(
        single_visit,
        tmp_path,
        {
            "exposure": composite("Exposure", {"calexp": "calexp:sfm", "wcs": "jointcal_wcs"}, overlay),
            "catalog": composite("SourceCatalog", {"src": "src", "wcs": "jointcal_wcs"}, extended),
        },
    )
    got = {name: butler.get(name, KEYS) for name in order}
    assert got["exposure"].wcs is got["catalog"].wcs


def test_r14_objects_of_other_classes_are_copied(single_visit, tmp_path):
    class Notes:
        def __init__(self, text):
            self.text, self.tags = text, ["a"]

    first = Notes("first")
    one, two = given(first), given(first)
    one.text = "changed"
    assert first.text == two.text == "first" and one.tags is first.tags
    assert given(5) == 5 and given(None) is None
    wcs = new_wcs()
    assert given(wcs) is wcs
    assert [type(each) for each in given([first, wcs])] == [Notes, type(wcs)]


def test_drafts_inside_what_is_returned_are_frozen_too(single_visit, tmp_path):
    class Pair:
        __slots__ = ("exposure", "rest")

        def __init__(self, exposure, rest):
            self.exposure, self.rest = exposure, rest

    exposure = simulated_exposure()
    inner = draft(exposure)
    inner.wcs = new_wcs()
    pair = freeze(Pair(inner, {"list": [inner, (inner, 1)], "self": None}))
    assert type(pair.exposure) is pantler.Exposure
    assert pair.rest["list"][0] is pair.exposure and pair.rest["list"][1] == (pair.exposure, 1)
    assert pair.exposure.wcs == new_wcs()
    own = []
    own.append(own)
    assert freeze(own) is own


def test_a_class_of_pantler_can_be_made_empty_and_filled(single_visit, tmp_path):
    def built(dataId, componentDict, classObj):
        exposure = classObj()
        exposure.image = componentDict["calexp"].image
        exposure.setWcs(componentDict["wcs"])
        return exposure

    components = {"calexp": "calexp:sfm", "wcs": "jointcal_wcs"}
    butler = opened(single_visit, tmp_path, {"built": composite("lsst.afw.image.ExposureF", components, built)})
    exposure = butler.get("built", KEYS)
    assert exposure.wcs == new_wcs() and exposure.mask is None
    assert pixels_of(exposure) == pixels_of(butler.get("calexp:sfm", visit=VISIT, ccd=CCD))


def test_a_value_that_a_component_cannot_be_is_refused():
    with pytest.raises(pantler.PantlerError, match="wcs"):
        draft(simulated_exposure()).setWcs("north")
    changed = copy.copy(draft(simulated_exposure()))
    changed.wcs = pantler.Wcs.from_header(tan(1.0, 2.0))
    assert changed.wcs != simulated_exposure().wcs
