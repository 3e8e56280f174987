"""Work that goes on after its answer: a ``POST`` opens the call, what fetches its end completes it."""

from dataclasses import dataclass
from typing import Any

import pytest

from miharu import providers
from miharu.call import Call
from miharu.plugins import load
from miharu.recorder.reading.reader import Reader
from tests.world import HandMade, exchange

FORMATS = [provider() for _, provider in load(providers.BUILT_IN)]
JSON = {"content-type": "application/json"}


@dataclass(frozen=True)
class Job:
    api: str
    post: dict[str, Any]
    running: dict[str, Any]
    done: dict[str, Any]
    expected: dict[str, Any]


def got(url: str, body: object, **facts: Any) -> dict[str, Any]:
    return {
        "url": url,
        "body": body,
        "method": "GET",
        "headers": {**JSON, **facts.pop("headers", {})},
        **facts,
    }


VEO = "https://generativelanguage.googleapis.com/v1beta/models/veo-3.1-generate-preview"
VERTEX = (
    "https://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/us-central1/publishers/google/"
    "models/veo-3.0-generate-001"
)
NAME = "projects/p/locations/us-central1/publishers/google/models/veo-3.0-generate-001/operations/o-2"
VIDEO = {"id": "video_1", "object": "video", "model": "sora-2", "seconds": "8", "size": "1280x720"}
QUEUE = "https://queue.fal.run/fal-ai/flux"
REPLICATE = "https://api.replicate.com/v1/predictions"

JOBS = [
    Job(
        "assemblyai.transcripts",
        {
            "url": "https://api.assemblyai.com/v2/transcript",
            "asked": {"audio_url": "https://example.com/a.mp3", "speech_models": ["universal-3-pro"]},
            "body": {"id": "aai-1", "status": "queued"},
        },
        got("https://api.assemblyai.com/v2/transcript/aai-1", {"id": "aai-1", "status": "processing"}),
        got(
            "https://api.assemblyai.com/v2/transcript/aai-1",
            {
                "id": "aai-1",
                "status": "completed",
                "text": "a",
                "audio_duration": 90,
                "speech_model_used": "universal-3-pro",
            },
        ),
        {"usage_source": "provider", "raw": '"audio_duration":90', "status": "success"},
    ),
    Job(
        "assemblyai.transcripts",
        {
            "url": "https://api.eu.assemblyai.com/v2/transcript",
            "asked": {"audio_url": "https://example.com/a.mp3"},
            "body": {"id": "aai-2", "status": "queued"},
        },
        got("https://api.eu.assemblyai.com/v2/transcript/aai-2", {"id": "aai-2", "status": "queued"}),
        got(
            "https://api.eu.assemblyai.com/v2/transcript/aai-2",
            {"id": "aai-2", "status": "error", "error": "the file cannot be read"},
        ),
        {"usage_source": "none", "raw": None, "status": "error"},
    ),
    Job(
        "gemini.videos",
        {
            "url": f"{VEO}:predictLongRunning",
            "asked": {"instances": [{"prompt": "a wren"}], "parameters": {"durationSeconds": 8}},
            "body": {"name": "models/veo-3.1-generate-preview/operations/o-1"},
        },
        got(f"{VEO}/operations/o-1", {"name": "models/veo-3.1-generate-preview/operations/o-1"}),
        got(
            f"{VEO}/operations/o-1",
            {
                "name": "models/veo-3.1-generate-preview/operations/o-1",
                "done": True,
                "response": {"generateVideoResponse": {"generatedSamples": [{"video": {"uri": "x"}}]}},
            },
        ),
        {"usage_source": "provider", "raw": '"videos":1', "status": "success"},
    ),
    Job(
        "gemini.videos",
        {
            "url": f"{VERTEX}:predictLongRunning",
            "asked": {"instances": [{"prompt": "a wren"}], "parameters": {"sampleCount": 2}},
            "body": {"name": NAME},
        },
        {"url": f"{VERTEX}:fetchPredictOperation", "asked": {"operationName": NAME}, "body": {"name": NAME}},
        {
            "url": f"{VERTEX}:fetchPredictOperation",
            "asked": {"operationName": NAME},
            "body": {"name": NAME, "done": True, "response": {"videos": [{"gcsUri": "a"}, {"gcsUri": "b"}]}},
        },
        {"usage_source": "provider", "raw": '"videos":2', "status": "success"},
    ),
    Job(
        "openai.videos",
        {
            "url": "https://api.openai.com/v1/videos",
            "asked": {"model": "sora-2", "prompt": "a wren", "seconds": "8"},
            "body": {**VIDEO, "status": "queued", "created_at": 1795000000},
        },
        got("https://api.openai.com/v1/videos/video_1", {**VIDEO, "status": "in_progress"}),
        got(
            "https://api.openai.com/v1/videos/video_1",
            {**VIDEO, "status": "completed", "created_at": 1795000000, "completed_at": 1795000090},
        ),
        {"usage_source": "provider", "raw": '"output_video_seconds":8.0', "status": "success", "ms": 90_000},
    ),
    Job(
        "openai.videos",
        {
            "url": "https://api.x.ai/v1/videos/generations",
            "asked": {"model": "grok-imagine-video", "prompt": "a wren"},
            "body": {"request_id": "xv-1"},
        },
        got("https://api.x.ai/v1/videos/xv-1", {"status": "pending"}),
        got(
            "https://api.x.ai/v1/videos/xv-1",
            {
                "status": "done",
                "video": {"url": "https://example.com/v.mp4", "duration": 6},
                "model": "grok-imagine-video",
                "usage": {"cost_in_usd_ticks": 3_000_000_000},
            },
        ),
        {
            "usage_source": "provider",
            "raw": '"output_video_seconds":6.0',
            "status": "success",
            "cost": 300_000_000,
        },
    ),
    Job(
        "fal",
        {
            "url": f"{QUEUE}/dev",
            "asked": {"prompt": "a wren"},
            "body": {"status": "IN_QUEUE", "request_id": "fq-1", "response_url": f"{QUEUE}/requests/fq-1"},
        },
        got(f"{QUEUE}/requests/fq-1/status", {"status": "IN_PROGRESS", "request_id": "fq-1"}),
        got(
            f"{QUEUE}/requests/fq-1",
            {"images": [{"url": "https://example.com/a.png"}]},
            headers={"x-fal-billable-units": "2"},
        ),
        {"usage_source": "provider", "raw": '"billable_units":2.0', "status": "success"},
    ),
    Job(
        "replicate.predictions",
        {
            "url": REPLICATE,
            "asked": {"version": "v", "input": {"prompt": "a wren"}},
            "status": 201,
            "body": {"id": "rp-1", "status": "starting", "created_at": "2026-11-02T10:00:00.000Z"},
        },
        got(f"{REPLICATE}/rp-1", {"id": "rp-1", "status": "processing"}),
        got(
            f"{REPLICATE}/rp-1",
            {
                "id": "rp-1",
                "status": "succeeded",
                "metrics": {"input_token_count": 7, "output_token_count": 3},
                "created_at": "2026-11-02T10:00:00.000Z",
                "completed_at": "2026-11-02T10:00:04.500Z",
            },
        ),
        {"usage_source": "provider", "raw": '"input_token_count":7', "status": "success", "ms": 4_500},
    ),
]
IDS = [f"{job.api} {number}" for number, job in enumerate(JOBS)]


def made(facts: dict[str, Any]) -> HandMade:
    return exchange(**{"headers": JSON, **facts})


def opened(reader: Reader, job: Job) -> Call:
    call = reader.read(made(job.post))
    assert call is not None
    return call


@pytest.mark.parametrize("job", JOBS, ids=IDS)
def test_the_post_opens_one_call_of_which_nothing_is_known_yet(job: Job) -> None:
    call = opened(Reader(FORMATS), job)
    assert (call.api, call.completes, call.outcome.status) == (job.api, False, "success")
    assert call.response_id
    assert call.usage.prompt_tokens is None


@pytest.mark.parametrize("job", JOBS, ids=IDS)
def test_a_look_that_finds_it_running_is_no_call(job: Job) -> None:
    reader = Reader(FORMATS)
    opened(reader, job)
    assert reader.read(made(job.running)) is None


@pytest.mark.parametrize("job", JOBS, ids=IDS)
def test_what_fetches_the_end_completes_it(job: Job) -> None:
    reader = Reader(FORMATS)
    call = opened(reader, job)
    end = reader.read(made(job.done))
    assert end is not None
    assert (end.completes, end.response_id) == (True, call.response_id)
    assert end.outcome.status == job.expected["status"]
    assert end.usage.usage_source == job.expected["usage_source"]
    assert (job.expected["raw"] or "") in (end.usage.usage_raw or "")
    assert end.duration_ms == job.expected.get("ms", end.duration_ms)
    assert (end.cost.cost_nanousd if end.cost else None) == job.expected.get("cost")


@pytest.mark.parametrize("job", [job for job in JOBS if "ms" not in job.expected])
def test_it_began_when_it_was_asked_for_where_the_provider_does_not_say(job: Job) -> None:
    reader = Reader(FORMATS)
    asked, later = made(job.post), made(job.done)
    later.timestamp = asked.timestamp + 60_000
    assert reader.read(asked) is not None
    end = reader.read(later)
    assert end is not None
    assert (end.timestamp, end.duration_ms) == (asked.timestamp, 60_100)


@pytest.mark.parametrize("job", [job for job in JOBS if "ms" not in job.expected])
def test_the_end_of_what_another_process_began_is_no_second_call(job: Job) -> None:
    assert Reader(FORMATS).read(made(job.done)) is None


@pytest.mark.parametrize("job", [job for job in JOBS if "ms" not in job.expected])
def test_an_end_that_is_fetched_again_is_no_call(job: Job) -> None:
    reader = Reader(FORMATS)
    opened(reader, job)
    assert reader.read(made(job.done)) is not None
    assert reader.read(made(job.done)) is None


def test_a_video_that_failed_is_an_error() -> None:
    end = Reader(FORMATS).read(
        made(
            got(
                "https://api.openai.com/v1/videos/video_2",
                {
                    **VIDEO,
                    "status": "failed",
                    "created_at": 1,
                    "error": {"code": "moderation", "message": "no"},
                },
            )
        )
    )
    assert end is not None
    assert (end.outcome.status, end.outcome.error_type, end.usage.usage_raw) == ("error", "moderation", None)


@pytest.mark.parametrize(
    ("url", "method"),
    [
        ("https://api.elevenlabs.io/v1/voices/add", "POST"),
        ("https://api.mistral.ai/v1/files", "POST"),
        ("https://queue.fal.run/fal-ai/flux/requests/r/cancel", "POST"),
        ("https://api.replicate.com/v1/models/me/mine/versions/v/trainings", "POST"),
        ("https://api.openai.com/v1/videos/characters", "POST"),
    ],
)
def test_what_generates_nothing_is_no_call(url: str, method: str) -> None:
    assert Reader(FORMATS).read(exchange(url, {"ok": True}, asked={}, method=method, headers=JSON)) is None


@pytest.mark.parametrize(
    ("url", "headers", "raw"),
    [
        (
            "https://api.elevenlabs.io/v1/text-to-speech/v1/stream",
            {"character-cost": "6"},
            '"character_cost":6.0',
        ),
        ("https://api.x.ai/v1/tts", {}, '"input_characters":5'),
        ("https://api.deepgram.com/v2/speak", {"dg-char-count": "5"}, '"input_characters":5'),
    ],
)
def test_speech_counts_what_is_paid(url: str, headers: dict[str, str], raw: str) -> None:
    call = Reader(FORMATS).read(
        exchange(
            url, b"\xff\xfbsound", asked={"text": "hello"}, headers={"content-type": "audio/mpeg", **headers}
        )
    )
    assert call is not None
    assert call.outcome.status == "success"
    assert raw in (call.usage.usage_raw or "")
    assert call.cost is None
