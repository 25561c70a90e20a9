"""Every store of the library keeps the contract of stores, which refuses stores that do not.

The contract is applied in ``tests/featureflow/test_stores.py``; here it is held against stores that are broken.
"""

import threading

import pytest

from tests.featureflow import test_stores
from tests.testing.library import library_classes, names, refusals, suites
from zounds_lite.featureflow import InMemoryDatabase
from zounds_lite.featureflow.stores import Database
from zounds_lite.featureflow.stores.base import Garbage
from zounds_lite.featureflow.stores.checks import own_record
from zounds_lite.featureflow.stores.criteria import Criterion, wanted
from zounds_lite.featureflow.stores.salvage import SalvagedDatabase
from zounds_lite.testing.contracts import DatabaseContract


def test_every_store_is_there(tmp_path):
    tested = {type(suite().create(tmp_path / suite.__name__)) for suite in suites(DatabaseContract, vars(test_stores))}
    read_only = {SalvagedDatabase}  # what is left of a damaged store takes no changes
    assert names(library_classes(Database) - tested - read_only - {Database}) == []


# what the contract refuses


class ShortensIds(InMemoryDatabase):
    """Takes ids for names of files, which have 255 characters at most."""

    def change(self, changes, failures=None):
        super().change(
            {_id if type(_id) is not str else _id[:255]: change for _id, change in changes.items()}, failures
        )

    def get(self, _id):
        return super().get(_id if type(_id) is not str else _id[:255])


class ChangesOneByOne(InMemoryDatabase):
    def change(self, changes, failures=None):
        for _id, change in changes.items():
            super().change({_id: change})
        super().change({}, failures)


class ReadsBeforeItLocks(InMemoryDatabase):
    def change(self, changes, failures=None):
        news = {_id: change(own_record(self.get(_id), _id)) for _id, change in changes.items()}
        threading.Event().wait(1e-3)
        super().change({_id: lambda old, _id=_id: news[_id] for _id in changes}, failures)


class KeepsTheBuffer(InMemoryDatabase):
    def create_blob(self):
        writer = super().create_blob()
        writer._append = writer._parts.append
        return writer


class LeavesBlobs(InMemoryDatabase):
    def remove_blob(self, name):
        pass


class RemovesWhatIsWritten(InMemoryDatabase):
    def collect_garbage(self):
        self._under_way.clear()
        return super().collect_garbage()


class RemovesNothing(InMemoryDatabase):
    def collect_garbage(self):
        return Garbage()


class ServesAnyRecord(InMemoryDatabase):
    def get(self, _id):
        super().get(_id) if _id not in self._records else None
        return self._records.get(_id)


class KeepsNoLedger(InMemoryDatabase):
    def change(self, changes, failures=None):
        super().change(changes)


class WritesTheLedgerFirst(InMemoryDatabase):
    def change(self, changes, failures=None):
        super().change({}, failures)
        super().change(changes)


class StopsAtDamage(InMemoryDatabase):
    def iter_ids(self):
        for _id in super().iter_ids():
            yield self.read(_id).id


class ClosesForEver(InMemoryDatabase):
    def close(self):
        self._records.clear()


class FindsWhatItFoundBefore(InMemoryDatabase):
    """Keeps an index that nobody changes."""

    def find(self, criteria):
        self.found = getattr(self, "found", {})
        return self.found.setdefault(tuple(criteria), super().find(criteria))


class MistakesTrueForOne(InMemoryDatabase):
    def find(self, criteria):
        same = {key: wanted([1, True]) for key in (wanted(1), wanted(True))}
        return super().find([Criterion(one.feature, one.field, same.get(one.ranges, one.ranges)) for one in criteria])


class SaysNothingOfPowerCuts(InMemoryDatabase):
    durability = "surely"


BROKEN = {
    ShortensIds: {"ids_are_any_text"},
    ChangesOneByOne: {"several_records_change_together"},
    ReadsBeforeItLocks: {"concurrent_changes_are_not_lost"},
    KeepsTheBuffer: {"the_writer_may_reuse_its_buffer"},
    LeavesBlobs: {"blobs_go_with_their_record_and_open_ones_stay_readable"},
    RemovesWhatIsWritten: {"garbage_is_what_no_record_names_and_nobody_writes"},
    RemovesNothing: {"garbage_is_what_no_record_names_and_nobody_writes"},
    ServesAnyRecord: {"the_record_of_another_document_is_not_served"},
    KeepsNoLedger: {"an_entry_of_the_ledger_comes_back"},
    WritesTheLedgerFirst: {"documents_and_ledger_change_together"},
    StopsAtDamage: {"ids_survive_damaged_records"},
    ClosesForEver: {"it_can_be_closed_and_used_again"},
    FindsWhatItFoundBefore: {"replaced_and_deleted_documents_are_not_found"},
    MistakesTrueForOne: {"a_value_is_found_by_its_type"},
    SaysNothingOfPowerCuts: {"it_says_how_durable_it_is"},
}


@pytest.mark.parametrize("broken", BROKEN, ids=lambda cls: cls.__name__)
def test_the_contract_refuses(broken):
    class Broken(DatabaseContract):
        def create(self, path):
            return broken()

    assert refusals(Broken, BROKEN[broken]) == BROKEN[broken]
