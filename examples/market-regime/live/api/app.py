"""The web application.

    flask --app api.app run
"""
from flask import Flask

from backtester_v2 import settings

from .routes import comprehensive, screens


def create_app(path="config/market_regime.yaml"):
    """The application with all its routes."""
    app = Flask(__name__)
    app.config["REGIMES"] = settings.load(path)
    for name in app.config["REGIMES"]["preload"]:
        settings.named(name)
    app.register_blueprint(comprehensive, url_prefix="/api/market-regime")
    app.register_blueprint(screens, url_prefix="/api/screens")
    return app
