"""What do the entries of the Reports menu print? Plain text for a window of fixed-width letters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from clinic.patients import Patient

_RULE = "-" * 48


def chart_summary(patient: Patient) -> str:
    """One chart on half a page."""
    lines = [
        f"Patient     {patient.full_name}",
        f"Number      {patient.patient_id}",
        f"Born        {patient.date_of_birth.isoformat()}",
        _RULE,
        *(
            f"{medication.name:<16}{medication.dose:<10}{medication.frequency}"
            for medication in patient.medications
        ),
    ]
    return "\n".join(lines)


def register_statistics(patients: Iterable[Patient]) -> str:
    """How many patients there are, by insurance."""
    counts = Counter(patient.insurance for patient in patients)
    lines = [f"{insurance:<36}{count:>6}" for insurance, count in sorted(counts.items())]
    return "\n".join([*lines, _RULE, f"{'All patients':<36}{counts.total():>6}"])
