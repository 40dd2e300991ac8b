"""What is going on in the machine and what to do about it: samples, outlooks, decisions."""

from .configuring import Effective, SettingsError
from .decisions import decision_stream
from .frames import to_frame
from .lines import Header, Mark, RecordingError
from .loading import Recording, load
from .outlook import Outlook, PoolOutlook
from .preflight import Preflight
from .recording import Recorder, record
from .replayed import replayed
from .replaying import replay
from .rungs import Residency, Rung
from .samples import Device, Pool, Pressure, Reading, Sample
from .scaler import ProactiveScaler
from .settings import Settings
from .simulation import Request, Simulation, simulate
from .sources import Sampler, default_probes, event_time, live
from .tier_file import Tier, TierError
from .tiers import HardwareTierDetector, effective_settings, machine_settings
from .words import Asked, Decision, Performed, Reason

__all__ = [
    "Asked", "Decision", "Device", "Effective", "HardwareTierDetector", "Header", "Mark", "Outlook", "Performed",
    "Pool", "PoolOutlook", "Preflight", "Pressure", "ProactiveScaler", "Reading", "Reason", "Recorder", "Recording",
    "RecordingError", "Request", "Residency", "Rung", "Sample", "Sampler", "Settings", "SettingsError",
    "Simulation", "Tier", "TierError", "decision_stream", "default_probes", "effective_settings", "event_time",
    "live", "load", "machine_settings", "record", "replay", "replayed", "simulate", "to_frame",
]  # fmt: skip
