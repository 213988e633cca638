"""The annual run as a Prefect flow: ingest -> score -> rank -> recheck -> publish.

Five coarse tasks that pass paths and small values, never frames.  They run on Prefect's embedded
server, or on the one `PREFECT_API_URL` names.  Prefect's database is a view of the run; the record
is the run's own manifest.
"""

import flows.orchestration.prefect_settings  # noqa: F401  (before Prefect reads its settings)

# isort: split
from pathlib import Path

from prefect import flow, task
from prefect.runtime import flow_run

from flows.common.settings import DATA, MAX_REJECTS, WAREHOUSE, Order
from flows.run import stages
from flows.run.stages import Outcome
from flows.run.work_folder import work_folder

ingest = task(name="ingest", persist_result=False)(stages.ingest_stage)
score = task(name="score", persist_result=False)(stages.score_stage)
rank = task(name="rank", persist_result=False)(stages.rank_stage)
check = task(name="recheck", persist_result=False)(stages.recheck_stage)
publish = task(name="publish", persist_result=False)(stages.publish_stage)


@flow(name="annual", persist_result=False)
def annual(
    feeds: Path,
    year: int | None = None,
    warehouse: Path = WAREHOUSE,
    data: Path = DATA,
    max_rejects: str = MAX_REJECTS,
    recheck: bool = True,
) -> Outcome:
    """Score and rank one round of points-based household registration (积分落户).

    Args:
        feeds: the delivery, one folder a feed; "{year}" in it stands for the year.
        year: the application year (申报年度), which needs a file in data/rounds; left out, the
            year the run is scheduled in.
        warehouse: where runs and luohu.duckdb are kept.
        data: the folder of policy and rounds.
        max_rejects: the largest share of bad rows a feed may have.
        recheck: whether the second engine must agree before anything is published.

    """
    year = year or flow_run.scheduled_start_time.year
    if not feeds.exists():  # a folder of that very name is meant as it is; no other brace is ours
        feeds = Path(str(feeds).replace("{year}", str(year)))
    order = Order(year, feeds, warehouse, data, max_rejects, recheck)
    with work_folder(order) as work:
        accepted = ingest(order, work)
        scored = score(order, accepted)
        ranked = rank(order, scored)
        return publish(order, check(order, ranked))
