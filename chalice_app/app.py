"""Registers every route, queue, stream and schedule, and does nothing else."""

import os
import sys
from pathlib import Path

from chalice import Chalice, Cron, Rate

_ROOT = Path(__file__).resolve().parent.parent
if (_ROOT / "handlers").is_dir():  # in the repository; in Lambda both lie beside this file
    sys.path.insert(0, str(_ROOT))

from handlers import telemetry  # noqa: E402
from handlers.console import categories as category_lists  # noqa: E402
from handlers.console import (  # noqa: E402
    closings,
    decisions,
    duty,
    links,
    orphans,
    point_rules,
    roster,
    settlements,
    thaws,
)
from handlers.console import codes as code_files  # noqa: E402
from handlers.console import queues as waiting_lines  # noqa: E402
from handlers.console import refunds as refund_desk  # noqa: E402
from handlers.console import rewards as shelves  # noqa: E402
from handlers.console import routing as dry_runs  # noqa: E402
from handlers.console import solvency as simulated_years  # noqa: E402
from handlers.console import transfers as transfer_files  # noqa: E402
from handlers.events import (  # noqa: E402
    appeals,
    calendar,
    digests,
    escalation,
    outbox,
    photos,
    queues,
    reconciliation,
    redemptions,
)
from handlers.events import roster as leavers  # noqa: E402
from handlers.http import (  # noqa: E402
    callbacks,
    cases,
    categories,
    changes,
    inbox,
    members,
    point_appeals,
    points,
    rechecks,
    reports,
    rewards,
    routing,
    service,
    sessions,
    stations,
    subscriptions,
    transfers,
    trust,
    uploads,
    verifications,
)
from handlers.http import redemptions as redemption_routes  # noqa: E402

telemetry.set_up(service="partners", level=os.environ.get("LOG_LEVEL", "INFO"))

app = Chalice(app_name="partners")
for routes in (
    service,
    sessions,
    members,
    verifications,
    categories,
    uploads,
    reports,
    rechecks,
    trust,
    cases,
    transfers,
    routing,
    points,
    point_appeals,
    rewards,
    redemption_routes,
    stations,
    inbox,
    subscriptions,
    changes,
    callbacks,
):
    app.register_blueprint(routes.blueprint)


@app.on_dynamodb_record(stream_arn=os.environ.get("OUTBOX_STREAM", "arn:outbox"), batch_size=10)
def on_outbox(event):
    """Deliver what was just put into the outbox."""
    return outbox.on_stream(event.to_dict())


@app.on_sqs_message(queue=os.environ.get("PHOTO_QUEUE", "partners-photo-arrivals"), batch_size=5)
def on_photo_arrival(event):
    """Take in the photos that have arrived in the bucket."""
    return photos.on_queue(event.to_dict())


@app.schedule(Rate(1, unit=Rate.MINUTES))
def sweep_outbox(event):
    """Deliver what a lost stream record left behind."""
    return outbox.on_schedule()


@app.schedule(Rate(1, unit=Rate.MINUTES))
def escalate(event):
    """Take every step that is due on a case."""
    return escalation.on_schedule()


@app.schedule(Rate(1, unit=Rate.MINUTES))
def release_digests(event):
    """Tell officials what was held for them, once it is due."""
    return digests.on_schedule()


@app.schedule(Rate(5, unit=Rate.MINUTES))
def expire_redemptions(event):
    """Give points and stock back for reservations that timed out."""
    return redemptions.on_schedule()


@app.schedule(Rate(10, unit=Rate.MINUTES))
def allocate_rewards(event):
    """Serve those who wait for a reward, and mark what is funded no longer."""
    return queues.on_schedule()


@app.schedule(Rate(1, unit=Rate.HOURS))
def remind_redemptions(event):
    """Tell the owners of vouchers that will soon end."""
    return redemptions.on_reminders()


@app.schedule(Rate(5, unit=Rate.MINUTES))
def sweep_checks(event):
    """Ask again where WeChat never gave a verdict on a photo."""
    return photos.on_schedule()


@app.schedule(Rate(1, unit=Rate.DAYS))
def check_calendar(event):
    """Say so while a year without a table is still a month away."""
    return calendar.on_schedule()


@app.schedule(Cron("0/15", "17-22", "*", "*", "?", "*"))
def reconcile_points(event):
    """Prove every wallet from its entries, from one in the night in China until all are done."""
    return reconciliation.on_schedule()


@app.schedule(Rate(1, unit=Rate.DAYS))
def watch_appeals(event):
    """Say so while a rider has waited for a week for what becomes of his appeal."""
    return appeals.on_schedule()


@app.schedule(Rate(1, unit=Rate.HOURS))
def sweep_roster(event):
    """Tell of officers and leads whose entry has ended or whose leave has begun."""
    return leavers.on_schedule()


@app.lambda_function(name="import_roster")
def import_roster(event, context):
    """Make a county's roster what a CSV says."""
    return roster.on_invoke(event)


@app.lambda_function(name="dry_run_routing")
def dry_run_routing(event, context):
    """Say where reports would go and who would hear of them; nothing is written."""
    return dry_runs.on_invoke(event)


@app.lambda_function(name="import_leaves")
def import_leaves(event, context):
    """Make a county's leaves what a CSV says, and let the deputies stand in."""
    return duty.on_invoke(event)


@app.lambda_function(name="import_links")
def import_links(event, context):
    """Take in who is close to whom, so that nobody handles what his own people reported."""
    return links.on_invoke(event)


@app.lambda_function(name="publish_categories")
def publish_categories(event, context):
    """Make a list of categories the next version, or say what that would change."""
    return category_lists.on_invoke(event)


@app.lambda_function(name="publish_point_rules")
def publish_point_rules(event, context):
    """Make rules of points the next versions, or say what that would change."""
    return point_rules.on_invoke(event)


@app.lambda_function(name="publish_rewards")
def publish_rewards(event, context):
    """Put rewards, their funds and classes on the shelf, or say what that would change."""
    return shelves.on_publish(event)


@app.lambda_function(name="change_reward")
def change_reward(event, context):
    """Pause, resume or retire a reward."""
    return shelves.on_change(event)


@app.lambda_function(name="show_solvency")
def show_solvency(event, context):
    """Show whether points stay worth something in a simulated year, month by month."""
    return simulated_years.on_invoke(event)


@app.lambda_function(name="review_queue")
def review_queue(event, context):
    """Show who waits for a reward and why in this order, or refuse one of them."""
    return waiting_lines.on_invoke(event)


@app.lambda_function(name="import_transfers")
def import_transfers(event, context):
    """Take in what receivers say of the cases they were given, line by line."""
    return transfer_files.on_invoke(event)


@app.lambda_function(name="sweep_orphans")
def sweep_orphans(event, context):
    """Release the cases of a county, or of one grid, whose officer has left."""
    return orphans.on_invoke(event)


@app.lambda_function(name="refund_redemption")
def refund_redemption(event, context):
    """Propose, approve or decline to give a rider back what a merchant failed him for."""
    return refund_desk.on_invoke(event)


@app.lambda_function(name="close_merchant")
def close_merchant(event, context):
    """Close a merchant for good; what only he could hand over is paid back."""
    return closings.on_invoke(event)


@app.lambda_function(name="import_codes")
def import_codes(event, context):
    """Take in a file of codes for a reward whose vouchers carry them."""
    return code_files.on_invoke(event)


@app.lambda_function(name="settlement_sheet")
def settlement_sheet(event, context):
    """Say what a merchant handed over in a month, as CSV or XLSX."""
    return settlements.on_invoke(event)


@app.lambda_function(name="thaw_wallet")
def thaw_wallet(event, context):
    """Let a frozen wallet spend again, once two people say so."""
    return thaws.on_invoke(event)


@app.lambda_function(name="propose_points")
def propose_points(event, context):
    """Propose what another person decides on: points given, set right, written off, taken back."""
    return decisions.on_propose(event)


@app.lambda_function(name="decide_points")
def decide_points(event, context):
    """Approve or decline what another person proposed, one thing or a whole file."""
    return decisions.on_decide(event)


@app.lambda_function(name="list_proposals")
def list_proposals(event, context):
    """Say what waits for a second person in a county: proposals and appeals."""
    return decisions.on_list(event)


@app.lambda_function(name="decide_appeal")
def decide_appeal(event, context):
    """Dismiss an appeal against points that were taken, or uphold it."""
    return decisions.on_appeal(event)
