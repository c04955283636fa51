"""Objects of other packages and back, on simulated objects and on the real files; astropy and closed formulas judge the values."""

import subprocess
import sys
import warnings

import numpy as np
import pytest
from astropy import units
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.nddata import CCDData, NDData, StdDevUncertainty
from astropy.table import MaskedColumn, QTable
from astropy.table import Table as AstropyTable
from astropy.wcs import WCS

import pantler
from conftest import real_file, simulated_exposure, tan
from pantler import convert
from pantler.convert import scratch

CLASSES = ("Exposure", "MaskedImage", "Image", "Table", "Wcs", "Document")
POLICY = {
    "datasets": {
        name: {
            "template": f"{name}/%(n)d.{'json' if name == 'Document' else 'fits'}",
            "python": name,
            "storage": "JsonStorage" if name == "Document" else "FitsStorage",
        }
        for name in CLASSES
    }
}
REAL_EXPOSURES = [
    "exposures/HSC-0908120-056-small.fits",
    "exposures/hsc_calexp_full.fits",
    "exposures/coadd_with_inputs_v1.fits",
    "exposures/scienceMI.fits",
]
REAL_TABLES = ["catalogs/refcat_sdss/903281.fits", "catalogs/chandra_region.fits", "catalogs/multiband/meas_g.fits"]


@pytest.fixture
def butler(tmp_path):
    return pantler.Butler.open(tmp_path / "repo", policy=POLICY)


@pytest.fixture(params=[None, *REAL_EXPOSURES])
def exposure(request):
    if request.param is None:
        return simulated_exposure()
    return scratch.read(real_file(request.param).read_bytes(), "Exposure")


@pytest.fixture(params=REAL_TABLES)
def real_table(request):
    return scratch.read(real_file(request.param).read_bytes(), "Table")


def ast_wcs():
    """Coordinates of a joint fit, which no header says exactly."""
    return scratch.read(real_file("exposures/joint/8766/jointcal_wcs-0011506-049.fits").read_bytes(), "Wcs")


def same_planes(one, other):
    for name in ("image", "mask", "variance"):
        mine, theirs = getattr(one, name), getattr(other, name)
        assert (mine is None) == (theirs is None), name
        if mine is not None:
            np.testing.assert_array_equal(mine.array, theirs.array)
            assert mine.array.dtype == theirs.array.dtype and mine.bbox == theirs.bbox
    if one.mask is not None:
        assert one.mask.planes == other.mask.planes


def test_exposures_go_to_ccddata_and_back(exposure):
    theirs = exposure.to_ccddata()
    assert isinstance(theirs, CCDData)
    np.testing.assert_array_equal(theirs.data, exposure.image.array)
    np.testing.assert_array_equal(theirs.uncertainty.array, exposure.variance.array)
    np.testing.assert_array_equal(theirs.flags, exposure.mask.array)
    box = exposure.bbox
    if exposure.wcs is not None:
        x, y = np.array([0.0, box.width - 1]), np.array([0.0, box.height - 1])
        sky = exposure.wcs.pixel_to_sky(x + box.x0, y + box.y0)
        np.testing.assert_allclose(theirs.wcs.all_pix2world(x, y, 0), sky, rtol=0, atol=2e-7)
    again = pantler.Exposure.from_nddata(theirs)
    same_planes(exposure, again)
    if exposure.wcs is not None:
        np.testing.assert_allclose(again.wcs.pixel_to_sky(x + box.x0, y + box.y0), sky, rtol=0, atol=2e-7)
    theirs.data[0, 0] += 1
    assert exposure.image.array[0, 0] != theirs.data[0, 0]


def test_nddata_keeps_coordinates_that_no_header_says(exposure):
    theirs = exposure.to_nddata()
    again = convert.from_nddata(theirs)
    same_planes(exposure, again)
    if exposure.wcs is not None:
        assert again.wcs == exposure.wcs
        x0, y0, _, _ = exposure.bbox
        sky = theirs.wcs.low_level_wcs.pixel_to_world_values(3, 4)
        assert tuple(sky) == tuple(exposure.wcs.pixel_to_sky(3 + x0, 4 + y0))


def test_masked_pixels_are_the_bad_ones():
    mask = pantler.Mask(np.array([[1, 2, 4, 0]], "int32"), {"BAD": 0, "DETECTED": 1, "SAT": 2})
    whole = pantler.MaskedImage(np.zeros((1, 4), "f4"), mask)
    assert whole.to_ccddata().mask.tolist() == [[True, False, True, False]]
    assert whole.to_ccddata(bad=["DETECTED"]).mask.tolist() == [[False, True, False, False]]
    with pytest.raises(pantler.NotFoundError):
        whole.to_ccddata(bad=["NONE"])


def test_astropys_own_pixels_are_taken(butler):
    data = np.arange(12.0).reshape(3, 4)
    header = fits.Header({"OBJECT": "M13", "LTV1": -5})
    theirs = CCDData(data, unit="adu", mask=data > 5, uncertainty=StdDevUncertainty(data), meta=header, wcs=WCS(tan(1, 2)))
    butler.put(theirs, "Exposure", n=1)
    found = butler.get("Exposure", n=1)
    np.testing.assert_array_equal(found.variance.array, data**2)
    np.testing.assert_array_equal(found.mask.plane("BAD"), data > 5)
    assert tuple(found.bbox) == (5, 0, 4, 3) and found.metadata["OBJECT"] == "M13"
    assert found.to_ccddata().unit == units.adu
    np.testing.assert_allclose(found.wcs.pixel_to_sky(5 + 29, 19), (1, 2))
    butler.put(theirs, "MaskedImage", n=1)
    same_planes(butler.get("MaskedImage", n=1), found)
    with pytest.raises(pantler.PantlerError):
        butler.put(theirs, "Image", n=1)
    butler.put(NDData(data), "Image", n=1)
    np.testing.assert_array_equal(butler.get("Image", n=1).array, data)


def test_exposures_go_to_hdus_and_back_with_all_components(exposure):
    hdus = exposure.to_hdulist()
    assert hdus["IMAGE"].header["NAXIS1"] == exposure.bbox.width
    again = pantler.Exposure.from_hdulist(exposure.to_hdulist())
    assert again == exposure, again.difference(exposure)
    np.testing.assert_array_equal(hdus["IMAGE"].data, exposure.image.array)
    # Once astropy has looked, the pixels are its own, and can be changed.
    hdus["IMAGE"].data[0, 0] = 77
    assert pantler.Exposure.from_hdulist(hdus).image.array[0, 0] == 77


def test_files_of_astropy_are_put_as_what_the_type_asks_for(butler):
    hdus = fits.HDUList([fits.PrimaryHDU(np.arange(6, dtype="f4").reshape(2, 3))])
    butler.put(hdus, "Image", n=1)
    np.testing.assert_array_equal(butler.get("Image", n=1).array, hdus[0].data)
    rows = fits.HDUList([fits.PrimaryHDU(), fits.table_to_hdu(AstropyTable({"a": [1, 2]}))])
    butler.put(rows, "Table", n=1)
    assert butler.get("Table", n=1)["a"].tolist() == [1, 2]
    butler.put(simulated_exposure().to_hdulist(), "Exposure", n=1)
    assert butler.get("Exposure", n=1) == simulated_exposure()
    with pytest.raises(pantler.PantlerError):
        butler.put(rows, "Exposure", n=2)
    assert not butler.exists("Exposure", n=2)


@pytest.mark.parametrize("quantities", [False, True])
def test_real_tables_go_to_astropy_and_back(real_table, quantities):
    theirs = real_table.to_qtable() if quantities else real_table.to_astropy()
    again = pantler.Table.from_astropy(theirs)
    assert again.columns == real_table.columns
    for name in again.columns:
        np.testing.assert_array_equal(again[name], real_table[name])
        assert again[name].shape == real_table[name].shape
        assert again.description(name) == real_table.description(name)
        mine, other = (units.Unit(table.unit(name) or "", parse_strict="silent") for table in (again, real_table))
        assert mine == other
    # A dictionary, which is what astropy keeps of a table's header, has a keyword once.
    assert sorted(set(again.metadata.keys())) == sorted(set(real_table.metadata.keys()))
    assert again.metadata.get_all("COMMENT") == real_table.metadata.get_all("COMMENT")


def test_tables_of_astropy_are_put(butler):
    theirs = AstropyTable({
        "id": [1, 2, 3],
        "flux": MaskedColumn([1.0, 2.0, 3.0], mask=[False, True, False], unit="nJy", description="of the star"),
        "name": ["a", "b", "cc"],
        "shape": np.arange(6.0).reshape(3, 2),
    }, meta={"EXPTIME": 30.0})
    butler.put(theirs, "Table", n=1)
    found = butler.get("Table", n=1)
    assert found["id"].tolist() == [1, 2, 3] and found["name"].tolist() == ["a", "b", "cc"]
    assert found.unit("flux") == "nJy" and found.description("flux") == "of the star"
    np.testing.assert_array_equal(found["shape"], np.arange(6.0).reshape(3, 2))
    assert found.metadata["EXPTIME"] == 30.0
    # A missing number in a FITS file is no number.
    assert np.isnan(np.ma.filled(found["flux"], np.nan)).tolist() == [False, True, False]
    quantities = QTable({"ra": [1.0, 2.0] * units.deg})
    assert pantler.Table.from_astropy(quantities).unit("ra") == "deg"
    assert pantler.Table.from_astropy(pantler.Table.from_astropy(theirs).to_astropy())["flux"].mask.tolist() == [False, True, False]


def test_tables_go_to_pandas_polars_arrow_and_numpy_and_back(butler):
    table = pantler.Table(
        {"id": np.arange(5), "flux": np.linspace(0, 1, 5), "name": list("abcde"), "good": np.arange(5) > 2}, units={"flux": "nJy"}
    )
    pandas = pytest.importorskip("pandas")
    polars = pytest.importorskip("polars")
    pyarrow = pytest.importorskip("pyarrow")
    forms = {
        "pandas": (table.to_pandas(), pandas.DataFrame, pantler.Table.from_pandas),
        "polars": (table.to_polars(), polars.DataFrame, pantler.Table.from_polars),
        "arrow": (table.to_arrow(), pyarrow.Table, pantler.Table.from_arrow),
        "numpy": (table.to_numpy(), np.ndarray, pantler.Table.from_numpy),
    }
    for n, (theirs, kind, back) in enumerate(forms.values()):
        assert isinstance(theirs, kind)
        butler.put(theirs, "Table", n=n)
        for again in (back(theirs), butler.get("Table", n=n)):
            assert again.columns == table.columns
            for name in table.columns:
                assert again[name].tolist() == table[name].tolist(), (kind, name)
    assert pantler.Table.from_arrow(table.to_arrow()) == table
    assert list(forms["pandas"][0]["flux"]) == table["flux"].tolist()


def test_indices_gaps_and_categories_of_frames_are_kept():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"band": pandas.Categorical(["g", "r", "g"]), "n": pandas.array([1, None, 3], "Int64")},
                             index=pandas.Index([7, 8, 9], name="source"))
    table = pantler.Table.from_pandas(frame)
    assert set(table.columns) == {"source", "band", "n"}
    assert table["source"].tolist() == [7, 8, 9] and table["band"].tolist() == ["g", "r", "g"]
    assert table["n"].tolist() == [1, None, 3]


def test_arrays_that_are_no_table_are_refused():
    with pytest.raises(pantler.PantlerError, match="structured"):
        pantler.Table.from_numpy(np.zeros(3))
    with pytest.raises(pantler.PantlerError, match="structured"):
        pantler.Table.from_numpy(np.zeros((2, 2), [("a", "f4")]))


@pytest.mark.parametrize("kind", ["header", "ast"])
def test_coordinates_stand_behind_astropys_interface(kind):
    wcs = pantler.Wcs.from_header(tan(210.0, 54.0)) if kind == "header" else ast_wcs()
    theirs = wcs.to_ape14(bbox=(100, 200, 50, 40))
    assert theirs.low_level_wcs.array_shape == (40, 50)
    ra, dec = wcs.pixel_to_sky(103.0, 204.5)
    found = theirs.pixel_to_world(3.0, 4.5)
    assert isinstance(found, SkyCoord) and found.frame.name == "icrs"
    assert (found.ra.degree, found.dec.degree) == (ra, dec)
    np.testing.assert_allclose(theirs.world_to_pixel(SkyCoord(ra, dec, unit="deg")), (3.0, 4.5), rtol=0, atol=1e-6)
    np.testing.assert_allclose(theirs.world_to_pixel(found.galactic), (3.0, 4.5), rtol=0, atol=1e-5)
    x, y = np.meshgrid(np.arange(5.0), np.arange(3.0))
    assert theirs.pixel_to_world(x, y).shape == (3, 5)
    assert convert.from_astropy_wcs(theirs, 100, 200) == wcs
    with pytest.raises(pantler.PantlerError, match="100"):
        convert.from_astropy_wcs(theirs)


def test_coordinates_of_astropy_are_put(butler):
    sip = tan(30.0, -20.0) | {"CTYPE1": "RA---TAN-SIP", "CTYPE2": "DEC--TAN-SIP", "A_ORDER": 2, "A_2_0": 1e-5, "B_ORDER": 2, "B_0_2": 2e-5}
    for n, cards in enumerate((tan(30.0, 40.0), sip)):
        theirs = WCS(fits.Header(cards))
        butler.put(theirs, "Wcs", n=n)
        x, y = np.array([0.0, 500, 900]), np.array([10.0, 700, 3])
        sky = butler.get("Wcs", n=n).pixel_to_sky(x, y)
        np.testing.assert_allclose(sky, theirs.all_pix2world(x, y, 0), rtol=0, atol=1e-10)
        again = butler.get("Wcs", n=n).to_astropy()
        np.testing.assert_allclose(again.all_pix2world(x, y, 0), theirs.all_pix2world(x, y, 0), rtol=0, atol=1e-10)


def test_coordinates_that_would_change_are_refused():
    from astropy.wcs import DistortionLookupTable

    theirs = WCS(fits.Header(tan(30.0, 40.0)))
    theirs.cpdis1 = DistortionLookupTable(np.full((3, 3), 2, "f4"), (1, 1), (1, 1), (500, 500))
    with warnings.catch_warnings(), pytest.raises(pantler.UnsupportedError):
        warnings.simplefilter("ignore")
        convert.from_astropy_wcs(theirs)


def test_what_stands_for_no_class_of_the_type_is_refused_before_anything_is_written(butler):
    with pytest.raises(pantler.PantlerError) as caught:
        butler.put(AstropyTable({"a": [1]}), "Exposure", n=1)
    assert caught.value.kind == "request" and "Exposure" in caught.value.message
    with pytest.raises(pantler.UnsupportedError):
        butler.put(object(), "Exposure", n=1)
    with pytest.raises(pantler.ConflictError):
        butler.put(AstropyTable({"a": [1]}), "Table", n=1)
        butler.put(AstropyTable({"a": [2]}), "Table", n=1)


@pytest.mark.parametrize("python", ["astropy.table.Table", None])
def test_a_type_of_the_objects_own_class_takes_it_as_it_is(tmp_path, python):
    types = {"t": {"template": "t-%(n)d.pickle", "storage": "PickleStorage"} | ({"python": python} if python else {})}
    butler = pantler.Butler.open(tmp_path / "own", policy={"datasets": types}, allow_pickle=True)
    butler.put(AstropyTable({"a": [1, 2]}, meta={"any": ("thing",)}), "t", n=1)
    found = pantler.Butler.open(tmp_path / "own", allow_pickle=True).get("t", n=1)
    assert isinstance(found, AstropyTable) and found.meta == {"any": ("thing",)}


def test_no_other_package_is_imported_before_it_is_needed(tmp_path):
    program = (
        "import sys, numpy, pantler\n"
        "butler = pantler.Butler.open(sys.argv[1], policy={'datasets': {'t': {'template': 't-%(n)d.fits', 'python': 'Table',"
        " 'storage': 'FitsStorage'}}})\n"
        "butler.put(numpy.array([(1, 2.0)], [('a', 'i4'), ('b', 'f8')]), 't', n=1)\n"
        "assert butler.get('t', n=1)['b'][0] == 2.0\n"
        "loaded = {name.partition('.')[0] for name in sys.modules}\n"
        "assert not loaded & {'astropy', 'pandas', 'polars', 'pyarrow', 'dask'}, loaded\n"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path / "repo")], check=True)
