"""Which patients does the clinic know, and how are they found?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class Medication:
    """One line of a patient's medication list."""

    name: str
    dose: str
    """Amount and unit, such as `"500 mg"`."""
    frequency: str
    prescribed: date


@dataclass(frozen=True, slots=True)
class VitalSigns:
    """What was measured at one visit."""

    taken: date
    systolic_mmhg: int
    diastolic_mmhg: int
    pulse_per_minute: int
    temperature_celsius: float
    weight_kg: int


@dataclass(frozen=True, slots=True)
class Patient:
    """One chart: who the patient is, what they take, how they were at their last visits."""

    patient_id: str
    first_name: str
    last_name: str
    date_of_birth: date
    gender: str
    mrn: str
    """Medical record number."""
    phone: str
    email: str
    address: str
    insurance: str
    medications: tuple[Medication, ...]
    vitals: tuple[VitalSigns, ...]
    """Newest first."""
    last_updated: datetime
    """Local time of the clinic, to the minute, as its program shows it."""

    @property
    def full_name(self) -> str:
        return f"{self.first_name} {self.last_name}"


@dataclass(frozen=True, slots=True)
class Query:
    """What was typed into the search window. An empty field asks for nothing."""

    patient_id: str = ""
    last_name: str = ""
    first_name: str = ""

    @property
    def is_empty(self) -> bool:
        return not (self.patient_id.strip() or self.last_name.strip() or self.first_name.strip())

    def matches(self, patient: Patient) -> bool:
        """True if the id is the patient's and both names begin as typed, upper or lower case."""
        wanted_id = self.patient_id.strip()
        return (
            wanted_id in ("", patient.patient_id)
            and _begins(patient.last_name, self.last_name)
            and _begins(patient.first_name, self.first_name)
        )


class Register:
    """All patients of the clinic, in the order of their names."""

    def __init__(self, patients: Iterable[Patient]) -> None:
        self._patients = tuple(sorted(patients, key=lambda p: (p.last_name, p.first_name, p.patient_id)))

    def __len__(self) -> int:
        return len(self._patients)

    def __iter__(self) -> Iterator[Patient]:
        return iter(self._patients)

    def find(self, query: Query) -> tuple[Patient, ...]:
        """The patients that match every filled field of the query; none for an empty query."""
        if query.is_empty:
            return ()
        return tuple(patient for patient in self._patients if query.matches(patient))


def _begins(name: str, typed: str) -> bool:
    return name.casefold().startswith(typed.strip().casefold())
