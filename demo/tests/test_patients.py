"""The register: the same patients always, found by what is typed."""

from __future__ import annotations

from datetime import date

from clinic.generated import NEWEST_VISIT, PATIENT_COUNT, generated_register
from clinic.patients import Patient, Query, Register
from clinic.reports import chart_summary, register_statistics
from hypothesis import given
from hypothesis import strategies as st

REGISTER = generated_register()
PATIENTS = st.sampled_from(tuple(REGISTER))


def test_one_seed_makes_one_register() -> None:
    assert tuple(generated_register()) == tuple(generated_register())


def test_another_seed_makes_another_register_with_the_same_john_doe() -> None:
    other = generated_register(seed=7)

    assert tuple(other) != tuple(REGISTER)
    assert other.find(Query(patient_id="12345")) == REGISTER.find(Query(patient_id="12345"))


def test_patient_12345_is_john_doe() -> None:
    (john,) = REGISTER.find(Query(patient_id="12345"))

    assert (john.full_name, john.date_of_birth, john.mrn) == ("John Doe", date(1968, 4, 23), "MRN-482913")


def test_no_two_patients_share_an_id() -> None:
    assert len({patient.patient_id for patient in REGISTER}) == len(REGISTER) == PATIENT_COUNT


def test_every_chart_has_something_to_read() -> None:
    assert all(patient.medications and patient.vitals for patient in REGISTER)


def test_vitals_are_newest_first_and_never_from_the_future() -> None:
    for patient in REGISTER:
        days = [vitals.taken for vitals in patient.vitals]

        assert days == sorted(days, reverse=True)
        assert days[0] <= NEWEST_VISIT


@given(PATIENTS)
def test_an_id_finds_exactly_its_patient(patient: Patient) -> None:
    assert REGISTER.find(Query(patient_id=f" {patient.patient_id} ")) == (patient,)


@given(PATIENTS, st.data())
def test_the_beginning_of_a_name_finds_its_patient_in_any_case(patient: Patient, data: st.DataObject) -> None:
    last = patient.last_name[: data.draw(st.integers(1, len(patient.last_name)))]
    first = patient.first_name[: data.draw(st.integers(0, len(patient.first_name)))]

    assert patient in REGISTER.find(Query(last_name=last.upper(), first_name=first.lower()))


@given(PATIENTS, PATIENTS)
def test_an_id_with_the_name_of_somebody_else_finds_nobody(one: Patient, other: Patient) -> None:
    found = REGISTER.find(Query(patient_id=one.patient_id, last_name=other.last_name))

    assert found == ((one,) if one.last_name == other.last_name else ())


@given(st.text(alphabet=" \t", max_size=5))
def test_blank_fields_find_nobody(blank: str) -> None:
    assert REGISTER.find(Query(blank, blank, blank)) == ()


def test_a_chart_summary_names_every_medication() -> None:
    (john,) = REGISTER.find(Query(patient_id="12345"))

    summary = chart_summary(john)

    assert "John Doe" in summary
    assert all(medication.name in summary for medication in john.medications)


def test_statistics_count_everybody_once() -> None:
    counts = [
        int(line.split()[-1]) for line in register_statistics(REGISTER).splitlines() if "---" not in line
    ]

    assert counts[-1] == sum(counts[:-1]) == PATIENT_COUNT


def test_an_empty_register_has_statistics_too() -> None:
    assert register_statistics(Register([])).endswith("0")
