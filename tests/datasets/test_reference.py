"""Document classes travel by name and come back as they were bound."""

import pickle

import pytest

import zounds_lite as zounds
from tests.datasets.documents import Page, bound
from zounds_lite import featureflow as ff
from zounds_lite.datasets.reference import check_shareable, main_program, refer_to, resolve
from zounds_lite.datasets.tasks import Job
from zounds_lite.errors import DeclarationError
from zounds_lite.graphs import Recording


def test_a_class_of_a_module_is_itself_again():
    for cls in (Page, Recording):
        assert resolve(pickle.loads(pickle.dumps(refer_to(cls)))) is cls


def test_a_class_that_was_bound_to_a_store_is_bound_again(tmp_path):
    first, second = bound(tmp_path / "a"), bound(tmp_path / "b")
    again = zounds.simple_lmdb_settings(tmp_path / "c", user_supplied_id=True)(first)
    for cls, name in ((first, "a"), (second, "b"), (again, "c")):
        found = resolve(pickle.loads(pickle.dumps(refer_to(cls))))
        assert found.database.path == tmp_path / name
        assert (found.__name__, found.__mro__[1]) == ("Page", Page)
        assert isinstance(found.id_provider, ff.UserSpecifiedIdProvider)
        assert found.features == Page.features
        assert resolve(refer_to(cls)) is found  # once for each store


def test_classes_that_others_cannot_import_have_no_reference(tmp_path):
    class Local(Page):
        pass

    class Renamed(Page):
        more = ff.JSONFeature(len, needs=Page.meta, store=True)

    Renamed.__module__, Renamed.__qualname__ = Page.__module__, Page.__qualname__
    Nowhere = type(Page)("Page", (ff.BaseModel,), {"__module__": "nowhere", "__qualname__": "Page"})
    for cls in (Local, Renamed, Nowhere):
        assert refer_to(cls) is None
    with pytest.raises(DeclarationError, match="another process cannot import it"):
        pickle.dumps(Job.of(zounds.simple_lmdb_settings(tmp_path, user_supplied_id=True)(Local), "meta", True, False))


def test_jobs_arrive_with_the_lineage_they_must_have(tmp_path, monkeypatch):
    job = pickle.loads(pickle.dumps(Job.of(bound(tmp_path / "store"), "meta", True, False)))
    assert (job.root, job.skip_existing, job.retry_failed) == ("meta", True, False)
    assert job.is_as_sent()
    monkeypatch.setattr("tests.datasets.documents.LARGE", 7)
    assert not job.is_as_sent()


def test_stores_of_this_process_alone_are_refused(tmp_path):
    class Memory(ff.PersistenceSettings):
        pass

    class Mixed(ff.BaseModel):
        meta = ff.TextFeature(ff.IteratorNode, store=True, persistence=Memory)

    for cls in (
        zounds.simple_in_memory_settings(Page),
        zounds.simple_lmdb_settings(tmp_path / "store", user_supplied_id=True)(Mixed),
    ):
        with pytest.raises(DeclarationError, match=r"InMemoryDatabase.*executor=ThreadPoolExecutor\(n\)"):
            check_shareable(cls)
    check_shareable(bound(tmp_path / "store"))


def test_the_main_program_is_a_file_or_a_module(monkeypatch, tmp_path):
    import types

    main = types.ModuleType("__main__")
    monkeypatch.setitem(__import__("sys").modules, "__main__", main)
    assert main_program() is None  # a prompt
    main.__file__ = "<stdin>"
    assert main_program() is None
    main.__file__ = __file__
    assert main_program() == (None, __file__)
    main.__spec__ = types.SimpleNamespace(name="package.__main__")
    assert main_program() == ("package.__main__", None)
