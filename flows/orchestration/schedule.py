"""When flows start, and which round a start of the annual run belongs to; all of it in Beijing time.

The year of a run is that of its scheduled start, so a run that starts late still scores its round.
"""

import asyncio
from datetime import UTC, date, datetime, timedelta, timezone

import flows.orchestration.prefect_settings  # noqa: F401  (before Prefect reads its settings)

# isort: split
from prefect.server.schemas.schedules import CronSchedule

from flows.common.failures import BadUsage
from flows.common.settings import DATA
from transforms.policy import read_toml

CALENDAR = "calendar"  # name and tag of the deployment that looks what is due
BEIJING = timezone(timedelta(hours=8))


def annual_schedule(cron: str | None) -> CronSchedule:
    """The schedule of a cron line, or of `data/schedule.toml`; raises BadUsage for a line that is none."""
    written = read_toml(DATA / "schedule.toml")
    try:
        schedule = CronSchedule(
            cron=written["cron"] if cron is None else cron, timezone=written["timezone"]
        )
        next_start(schedule, datetime.now(UTC))
    except (ValueError, ArithmeticError, LookupError):
        raise BadUsage(
            "--cron: expected minute, hour, day, month and weekday of a time that comes, such as"
            f" {written['cron']!r}, found {cron!r}"
        ) from None
    return schedule


def calendar_schedule() -> CronSchedule:
    """When it is looked what is due: the schedule of `data/schedule.toml`."""
    written = read_toml(DATA / "schedule.toml")
    return CronSchedule(cron=written["calendar"]["cron"], timezone=written["timezone"])


def next_start(schedule: CronSchedule, after: datetime) -> datetime:
    """The first start after a moment, Beijing time; raises LookupError when there is none."""
    return asyncio.run(schedule.get_dates(1, start=after))[0].astimezone(BEIJING)


def day_of(start: datetime) -> date:
    """The day of a scheduled start."""
    return start.astimezone(BEIJING).date()


def year_of(start: datetime) -> int:
    """The application year (申报年度) of a scheduled start: at 00:30 on 1 January, UTC is a day behind."""
    return start.astimezone(BEIJING).year
