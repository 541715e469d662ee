"""The routes: those of the comprehensive engine, and those of the screens."""
from flask import Blueprint, abort, current_app, jsonify, request

import backtester_v2.market_regime.errors
from backtester_v2 import settings
from backtester_v2.market_regime import ConfigError, read_bars
from backtester_v2.market_regime.api_handlers import *  # noqa: F403
from backtester_v2.strategies.market_regime.integration import ui_endpoints

comprehensive = Blueprint("comprehensive", __name__)
screens = Blueprint("screens", __name__)


def chosen(engine):
    """The settings of an engine, with its configuration read."""
    found = current_app.config["REGIMES"]["engines"][engine]
    return found, settings.named(found["parser"])(found["config"]).parse()


def bars():
    """The bars that the settings name."""
    return read_bars(current_app.config["REGIMES"]["prices"])


@comprehensive.errorhandler(backtester_v2.market_regime.errors.RegimeError)
def refused(error):
    """What the packages refuse is the asker's fault."""
    return jsonify(error=str(error)), 400


@comprehensive.route("/status")
def show_status():
    """That it is there."""
    return jsonify(status())  # noqa: F405


@comprehensive.route("/regimes")
def show_regimes():
    """All regimes."""
    return jsonify(regime_list())  # noqa: F405


@comprehensive.route("/regimes/<int:code>")
def show_regime(code):
    """One regime."""
    from backtester_v2.market_regime.regimes import by_code

    try:
        return jsonify(name=by_code(code).name)
    except ConfigError:
        abort(404)


@comprehensive.route("/config")
def show_config():
    """The sheets of its configuration."""
    return jsonify(chosen("comprehensive")[1])


@comprehensive.route("/latest")
def show_latest():
    """The regime of the last day."""
    found, sheets = chosen("comprehensive")
    window = request.args.get("window", found["window"], type=int)
    return jsonify(latest(bars(), sheets, window, found["confirm_days"]))  # noqa: F405


@comprehensive.route("/stress", methods=["POST"])
def show_stress():
    """What the shocks would do."""
    found, sheets = chosen("comprehensive")
    return jsonify(stress_report(bars(), sheets, found["window"], found["confirm_days"]))  # noqa: F405


@screens.route("/overview")
def show_overview():
    """The panel of the last day."""
    return jsonify(ui_endpoints.overview(bars()))


@screens.route("/history/<int:days>")
def show_history(days):
    """The panels of the last days."""
    return jsonify(ui_endpoints.past(bars(), days))


@screens.route("/performance")
def show_performance():
    """What it would have earned."""
    return jsonify(ui_endpoints.performance(bars()))
