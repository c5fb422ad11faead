"""Where do two hundred patients come from? From a seed: the same seed makes the same clinic."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta

from clinic.patients import Medication, Patient, Register, VitalSigns

PATIENT_COUNT = 200
SEED = 1994
NEWEST_VISIT = date(2026, 2, 27)
"""No chart is newer: what the program shows must not depend on the day the demo runs."""

_FIRST_NAMES = {
    "Female": ("Alice", "Carmen", "Diana", "Fatima", "Grace", "Hannah", "Karen", "Maria", "Naomi", "Paula"),
    "Male": ("Adam", "Bruno", "Carlos", "David", "Edward", "Frank", "George", "Kevin", "Martin", "Oscar"),
}
_LAST_NAMES = (
    "Abbott", "Baker", "Castro", "Dawson", "Evans", "Foster", "Garcia", "Hoffman", "Jensen", "Keller",
    "Lambert", "Morris", "Novak", "Parker", "Ramsey", "Santos", "Turner", "Vaughn", "Weber", "York",
)  # fmt: skip
_STREETS = (
    "Baker Street",
    "Cedar Road",
    "Harbor Drive",
    "Market Street",
    "Orchard Way",
    "Park Avenue",
    "Station Road",
)
_TOWNS = ("Ashford", "Brookfield", "Easton", "Fairview", "Newport", "Springdale")
_INSURERS = ("Blue Harbor Health", "Meridian Mutual", "Northern Care", "Union Benefit")
_MEDICATIONS = (
    ("Amlodipine", ("10 mg",)),
    ("Atorvastatin", ("20 mg", "40 mg")),
    ("Furosemide", ("40 mg",)),
    ("Gabapentin", ("300 mg",)),
    ("Metformin", ("500 mg", "850 mg")),
    ("Metoprolol", ("25 mg", "50 mg")),
    ("Omeprazole", ("20 mg",)),
    ("Ramipril", ("10 mg",)),
    ("Sertraline", ("50 mg", "100 mg")),
    ("Simvastatin", ("20 mg", "40 mg")),
)
_FREQUENCIES = ("Once daily", "Twice daily", "Every evening", "As needed")


def generated_register(*, seed: int = SEED, count: int = PATIENT_COUNT) -> Register:
    """The clinic's register: John Doe with id 12345 and `count - 1` patients who differ only by the seed."""
    rng = random.Random(seed)
    ids = rng.sample([number for number in range(10001, 13000) if number != 12345], count - 1)
    return Register([_john_doe(), *(_patient(rng, str(number)) for number in ids)])


def _john_doe() -> Patient:
    return Patient(
        patient_id="12345",
        first_name="John",
        last_name="Doe",
        date_of_birth=date(1968, 4, 23),
        gender="Male",
        mrn="MRN-482913",
        phone="(312) 555-0147",
        email="john.doe@example.org",
        address="27 Cedar Road, Fairview",
        insurance="Meridian Mutual",
        medications=(
            Medication("Atorvastatin", "20 mg", "Every evening", date(2023, 5, 9)),
            Medication("Metformin", "500 mg", "Twice daily", date(2024, 3, 18)),
            Medication("Ramipril", "10 mg", "Once daily", date(2025, 9, 2)),
        ),
        vitals=(
            VitalSigns(date(2026, 2, 24), 128, 82, 72, 36.8, 84),
            VitalSigns(date(2025, 11, 18), 134, 86, 76, 36.6, 86),
            VitalSigns(date(2025, 8, 5), 141, 88, 79, 36.9, 87),
        ),
        last_updated=datetime(2026, 2, 24, 10, 32),  # noqa: DTZ001 - the clinic's program knows no time zones
    )


def _patient(rng: random.Random, patient_id: str) -> Patient:
    gender = rng.choice(("Female", "Male"))
    first_name = rng.choice(_FIRST_NAMES[gender])
    last_name = rng.choice(_LAST_NAMES)
    vitals = _vitals(rng)
    seen_at = datetime.combine(vitals[0].taken, datetime.min.time())
    return Patient(
        patient_id=patient_id,
        first_name=first_name,
        last_name=last_name,
        date_of_birth=date(1935, 1, 1) + timedelta(days=rng.randrange(72 * 365)),
        gender=gender,
        mrn=f"MRN-{rng.randrange(200000, 990000)}",
        phone=f"({rng.randrange(212, 990)}) 555-01{rng.randrange(100):02}",
        email=f"{first_name}.{last_name}@example.org".lower(),
        address=f"{rng.randrange(2, 99)} {rng.choice(_STREETS)}, {rng.choice(_TOWNS)}",
        insurance=rng.choice(_INSURERS),
        medications=_medications(rng),
        vitals=vitals,
        last_updated=seen_at + timedelta(hours=rng.randrange(8, 18), minutes=rng.randrange(60)),
    )


def _medications(rng: random.Random) -> tuple[Medication, ...]:
    chosen = sorted(rng.sample(_MEDICATIONS, rng.randrange(1, 6)))
    return tuple(
        Medication(name, rng.choice(doses), rng.choice(_FREQUENCIES), _before(rng, NEWEST_VISIT, days=1500))
        for name, doses in chosen
    )


def _vitals(rng: random.Random) -> tuple[VitalSigns, ...]:
    weight_kg = rng.randrange(52, 104)
    taken = _before(rng, NEWEST_VISIT, days=60)
    visits = []
    for _ in range(rng.randrange(2, 5)):
        visits.append(
            VitalSigns(
                taken=taken,
                systolic_mmhg=rng.randrange(108, 152),
                diastolic_mmhg=rng.randrange(66, 94),
                pulse_per_minute=rng.randrange(58, 96),
                temperature_celsius=round(rng.uniform(36.2, 37.4), 1),
                weight_kg=weight_kg + rng.randrange(-2, 3),
            )
        )
        taken = _before(rng, taken, days=150)
    return tuple(visits)


def _before(rng: random.Random, day: date, *, days: int) -> date:
    return day - timedelta(days=rng.randrange(1, days))
