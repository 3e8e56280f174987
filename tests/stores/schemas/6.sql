-- A database as schema 6 left it, ten of its calls in the sums.
PRAGMA application_id = 1296648274;
PRAGMA user_version = 6;
BEGIN TRANSACTION;
CREATE TABLE llm_bodies (call_id TEXT PRIMARY KEY NOT NULL, request BLOB, response BLOB, timestamp INTEGER) STRICT;
INSERT INTO "llm_bodies" VALUES('01890000-0000-7000-8000-000000000000',X'7801AB56CACD4F49CD51B2524A2F28D135D5CDCDCCCB54AA050054870753',X'7801AB56CACF56B22A292A4DAD050016E30411',1790000000000);
CREATE TABLE llm_calls (
    id TEXT PRIMARY KEY NOT NULL,
    timestamp INTEGER NOT NULL,
    model TEXT,
    prompt_tokens INTEGER,
    completion_tokens INTEGER,
    cost_cents REAL GENERATED ALWAYS AS (cost_nanousd / 1e7) VIRTUAL,
    duration_ms INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('success', 'error', 'cancelled')),
    cost_nanousd INTEGER,
    cost_source TEXT,
    price_version TEXT,
    request_model TEXT,
    provider TEXT,
    api TEXT NOT NULL,
    host TEXT,
    sdk TEXT,
    stream INTEGER NOT NULL,
    http_status INTEGER,
    error_type TEXT,
    error_message TEXT,
    retry_after_ms INTEGER,
    rate_limit TEXT,
    cached_tokens INTEGER,
    cache_write_tokens INTEGER,
    cache_write_5m_tokens INTEGER,
    cache_write_1h_tokens INTEGER,
    reasoning_tokens INTEGER,
    audio_input_tokens INTEGER,
    audio_output_tokens INTEGER,
    image_input_tokens INTEGER,
    image_output_tokens INTEGER,
    usage_source TEXT NOT NULL CHECK (usage_source IN ('provider', 'estimated', 'none')),
    usage_raw TEXT,
    ttft_ms INTEGER,
    finish_reason TEXT,
    service_tier TEXT,
    response_id TEXT,
    request_id TEXT,
    attempt INTEGER,
    call_group TEXT,
    body_hash TEXT,
    service TEXT,
    route TEXT,
    host_request_id TEXT,
    user_id TEXT,
    session_id TEXT,
    trace_id TEXT,
    span_id TEXT,
    parent_id TEXT,
    tags TEXT
, duplicate_of TEXT, cache_missed_tokens INTEGER, cache_missed_nanousd INTEGER, duration_bucket INTEGER, ttft_bucket INTEGER) STRICT
;
INSERT INTO "llm_calls" VALUES('01890000-0000-7000-8000-000000000000',1790000000000,NULL,100,20,500,'success',NULL,NULL,NULL,NULL,NULL,'openai.chat',NULL,NULL,1,200,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'provider',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'POST /chat/{id}',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,160,NULL);
INSERT INTO "llm_calls" VALUES('01890000-0000-7000-8000-000000000001',1790000060000,'gpt-5-mini',101,20,537,'success',1000,NULL,NULL,NULL,NULL,'openai.chat',NULL,NULL,1,200,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'provider',NULL,90,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'POST /chat/{id}',NULL,'ann',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,162,116);
INSERT INTO "llm_calls" VALUES('01890000-0000-7000-8000-000000000002',1790000120000,NULL,102,20,574,'success',2000,NULL,NULL,NULL,NULL,'openai.chat',NULL,NULL,1,200,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'provider',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'POST /chat/{id}',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,163,NULL);
INSERT INTO "llm_calls" VALUES('01890000-0000-7000-8000-000000000003',1790000180000,'gpt-5-mini',103,20,611,'success',NULL,NULL,NULL,NULL,NULL,'openai.chat',NULL,NULL,1,200,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'provider',NULL,90,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'POST /chat/{id}',NULL,'ann',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,165,116);
INSERT INTO "llm_calls" VALUES('01890000-0000-7000-8000-000000000004',1790000240000,NULL,104,20,648,'error',4000,NULL,NULL,NULL,NULL,'openai.chat',NULL,NULL,1,429,'rate_limit',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'provider',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'POST /chat/{id}',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,167,NULL);
INSERT INTO "llm_calls" VALUES('01890000-0000-7000-8000-000000000005',1790000300000,'gpt-5-mini',105,20,685,'success',5000,NULL,NULL,NULL,NULL,'openai.chat',NULL,NULL,1,200,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'provider',NULL,90,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'POST /chat/{id}',NULL,'ann',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,168,116);
INSERT INTO "llm_calls" VALUES('01890000-0000-7000-8000-000000000006',1790000360000,NULL,106,20,722,'success',NULL,NULL,NULL,NULL,NULL,'openai.chat',NULL,NULL,1,200,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'provider',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'POST /chat/{id}',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,169,NULL);
INSERT INTO "llm_calls" VALUES('01890000-0000-7000-8000-000000000007',1790000420000,'gpt-5-mini',107,20,759,'success',7000,NULL,NULL,NULL,NULL,'openai.chat',NULL,NULL,1,200,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'provider',NULL,90,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'POST /chat/{id}',NULL,'ann',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,171,116);
INSERT INTO "llm_calls" VALUES('01890000-0000-7000-8000-000000000008',1790000480000,NULL,108,20,796,'success',8000,NULL,NULL,NULL,NULL,'openai.chat',NULL,NULL,1,200,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'provider',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'POST /chat/{id}',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,172,NULL);
INSERT INTO "llm_calls" VALUES('01890000-0000-7000-8000-000000000009',1790000540000,'gpt-5-mini',109,20,833,'error',NULL,NULL,NULL,NULL,NULL,'openai.chat',NULL,NULL,1,429,'rate_limit',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'provider',NULL,90,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'POST /chat/{id}',NULL,'ann',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,173,116);
INSERT INTO "llm_calls" VALUES('01890000-0000-7000-8000-000000000010',1790000600000,NULL,110,20,870,'success',10000,NULL,NULL,NULL,NULL,'openai.chat',NULL,NULL,1,200,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'provider',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'POST /chat/{id}',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,174,NULL);
INSERT INTO "llm_calls" VALUES('01890000-0000-7000-8000-000000000011',1790000660000,'gpt-5-mini',111,20,907,'success',11000,NULL,NULL,NULL,NULL,'openai.chat',NULL,NULL,1,200,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'provider',NULL,90,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'POST /chat/{id}',NULL,'ann',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,175,116);
CREATE TABLE llm_scores (
    id TEXT PRIMARY KEY NOT NULL,
    timestamp INTEGER NOT NULL,
    name TEXT NOT NULL,
    value REAL NOT NULL,
    call_id TEXT,
    trace_id TEXT,
    comment TEXT
) STRICT
;
CREATE TABLE llm_spans (
    id TEXT PRIMARY KEY NOT NULL,
    trace_id TEXT NOT NULL,
    name TEXT NOT NULL,
    timestamp INTEGER NOT NULL,
    duration_ms INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('success', 'error', 'cancelled')),
    parent_id TEXT,
    error_type TEXT,
    error_message TEXT,
    service TEXT,
    route TEXT,
    user_id TEXT,
    session_id TEXT,
    tags TEXT
) STRICT
;
CREATE TABLE miharu_doomed (name TEXT PRIMARY KEY NOT NULL) WITHOUT ROWID, STRICT;
CREATE TABLE miharu_frequent (user_id TEXT PRIMARY KEY NOT NULL, since INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID, STRICT;
INSERT INTO "miharu_frequent" VALUES('',0);
CREATE TABLE miharu_gone_sums (model TEXT NOT NULL, route TEXT NOT NULL, provider TEXT NOT NULL, status TEXT NOT NULL, error_type TEXT NOT NULL, service TEXT NOT NULL, calls INTEGER NOT NULL, cost_nanousd INTEGER NOT NULL, unpriced INTEGER NOT NULL, retries INTEGER NOT NULL, prompt_tokens INTEGER NOT NULL, completion_tokens INTEGER NOT NULL, cached_tokens INTEGER NOT NULL, cache_write_tokens INTEGER NOT NULL, reasoning_tokens INTEGER NOT NULL, PRIMARY KEY (model, route, provider, status, error_type, service)) WITHOUT ROWID, STRICT;
CREATE TABLE miharu_gone_times (model TEXT NOT NULL, route TEXT NOT NULL, provider TEXT NOT NULL, service TEXT NOT NULL, timing INTEGER NOT NULL, bucket INTEGER NOT NULL, calls INTEGER NOT NULL, PRIMARY KEY (model, route, provider, service, timing, bucket)) WITHOUT ROWID, STRICT;
CREATE TABLE miharu_made (name TEXT PRIMARY KEY NOT NULL, upto INTEGER NOT NULL) STRICT;
INSERT INTO "miharu_made" VALUES('sum_hour_both',1790035200000);
INSERT INTO "miharu_made" VALUES('sum_hour_model',1790035200000);
INSERT INTO "miharu_made" VALUES('sum_hour_route',1790035200000);
INSERT INTO "miharu_made" VALUES('sum_day_route',1790035200000);
INSERT INTO "miharu_made" VALUES('sum_day_model',1790035200000);
INSERT INTO "miharu_made" VALUES('sum_day_both',1790035200000);
INSERT INTO "miharu_made" VALUES('sum_day_user',1790035200000);
INSERT INTO "miharu_made" VALUES('sum_5days_user',1790035200000);
INSERT INTO "miharu_made" VALUES('time_hour_model',1790035200000);
INSERT INTO "miharu_made" VALUES('time_hour_route',1790035200000);
INSERT INTO "miharu_made" VALUES('time_hour',1790035200000);
INSERT INTO "miharu_made" VALUES('time_day',1790035200000);
INSERT INTO "miharu_made" VALUES('time_day_model',1790035200000);
INSERT INTO "miharu_made" VALUES('time_day_route',1790035200000);
INSERT INTO "miharu_made" VALUES('time_day_both',1790035200000);
INSERT INTO "miharu_made" VALUES('time_5days_model',1790035200000);
INSERT INTO "miharu_made" VALUES('time_5days_route',1790035200000);
INSERT INTO "miharu_made" VALUES('counted',1790035200000);
INSERT INTO "miharu_made" VALUES('sum_day_provider',1790035200000);
INSERT INTO "miharu_made" VALUES('time_day_provider',1790035200000);
INSERT INTO "miharu_made" VALUES('sum_minute_both',1790000040000);
INSERT INTO "miharu_made" VALUES('sum_hour_provider',1790035200000);
INSERT INTO "miharu_made" VALUES('sum_hour_user',1789999200000);
INSERT INTO "miharu_made" VALUES('rank_hour_model',1789999200000);
INSERT INTO "miharu_made" VALUES('rank_hour_route',1789999200000);
INSERT INTO "miharu_made" VALUES('rank_hour_failed',1789999200000);
INSERT INTO "miharu_made" VALUES('time_hour_both',1789999200000);
INSERT INTO "miharu_made" VALUES('counted_days',1790035200000);
INSERT INTO "miharu_made" VALUES('rank_day_model',1789948800000);
INSERT INTO "miharu_made" VALUES('rank_day_route',1789948800000);
INSERT INTO "miharu_made" VALUES('rank_day_failed',1789948800000);
INSERT INTO "miharu_made" VALUES('rank_day_provider',1789948800000);
INSERT INTO "miharu_made" VALUES('counted_5days',1789776000000);
INSERT INTO "miharu_made" VALUES('sum_hour_user_model',1789999200000);
INSERT INTO "miharu_made" VALUES('sum_hour_user_route',1789999200000);
INSERT INTO "miharu_made" VALUES('time_hour_user_model',1789999200000);
INSERT INTO "miharu_made" VALUES('time_hour_user_route',1789999200000);
INSERT INTO "miharu_made" VALUES('rank_5days_model',1789776000000);
INSERT INTO "miharu_made" VALUES('rank_5days_route',1789776000000);
INSERT INTO "miharu_made" VALUES('rank_5days_failed',1789776000000);
INSERT INTO "miharu_made" VALUES('rank_5days_provider',1789776000000);
INSERT INTO "miharu_made" VALUES('sum_day_user_model',1789948800000);
INSERT INTO "miharu_made" VALUES('sum_day_user_route',1789948800000);
INSERT INTO "miharu_made" VALUES('time_day_user_model',1789948800000);
INSERT INTO "miharu_made" VALUES('time_day_user_route',1789948800000);
CREATE TABLE miharu_meta (key TEXT PRIMARY KEY NOT NULL, value INTEGER NOT NULL) STRICT;
INSERT INTO "miharu_meta" VALUES('revision',3);
INSERT INTO "miharu_meta" VALUES('folded',11);
INSERT INTO "miharu_meta" VALUES('folded_at',1790000540000);
INSERT INTO "miharu_meta" VALUES('referred',1);
INSERT INTO "miharu_meta" VALUES('horizon',1795996800000);
INSERT INTO "miharu_meta" VALUES('newest',1790000660000);
INSERT INTO "miharu_meta" VALUES('segment',1);
INSERT INTO "miharu_meta" VALUES('swept',1795996800000);
INSERT INTO "miharu_meta" VALUES('sweeping',0);
CREATE TABLE miharu_partly (
    name TEXT PRIMARY KEY NOT NULL,
    upto INTEGER NOT NULL,
    keys TEXT NOT NULL
) WITHOUT ROWID, STRICT
;
CREATE TABLE miharu_refs (
    segment INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    key TEXT NOT NULL,
    call INTEGER NOT NULL,
    PRIMARY KEY (segment, kind, key, call)
) WITHOUT ROWID, STRICT
;
CREATE TABLE miharu_segments (
    id INTEGER PRIMARY KEY,
    oldest INTEGER NOT NULL,
    newest INTEGER NOT NULL
) STRICT
;
CREATE TABLE miharu_tags (name TEXT PRIMARY KEY NOT NULL) WITHOUT ROWID, STRICT;
CREATE TABLE rank_5days_failed (t INTEGER NOT NULL, status TEXT NOT NULL, error_type TEXT NOT NULL, user_id TEXT NOT NULL, service TEXT NOT NULL, calls INTEGER NOT NULL, cost_nanousd INTEGER NOT NULL, PRIMARY KEY (t, status, error_type, user_id, service)) WITHOUT ROWID, STRICT;
CREATE TABLE rank_5days_model (t INTEGER NOT NULL, model TEXT NOT NULL, user_id TEXT NOT NULL, provider TEXT NOT NULL, service TEXT NOT NULL, calls INTEGER NOT NULL, cost_nanousd INTEGER NOT NULL, PRIMARY KEY (t, model, user_id, provider, service)) WITHOUT ROWID, STRICT;
CREATE TABLE rank_5days_provider (t INTEGER NOT NULL, provider TEXT NOT NULL, user_id TEXT NOT NULL, service TEXT NOT NULL, calls INTEGER NOT NULL, cost_nanousd INTEGER NOT NULL, PRIMARY KEY (t, provider, user_id, service)) WITHOUT ROWID, STRICT;
CREATE TABLE rank_5days_route (t INTEGER NOT NULL, route TEXT NOT NULL, user_id TEXT NOT NULL, service TEXT NOT NULL, calls INTEGER NOT NULL, cost_nanousd INTEGER NOT NULL, PRIMARY KEY (t, route, user_id, service)) WITHOUT ROWID, STRICT;
CREATE TABLE rank_day_failed (t INTEGER NOT NULL, status TEXT NOT NULL, error_type TEXT NOT NULL, user_id TEXT NOT NULL, service TEXT NOT NULL, calls INTEGER NOT NULL, cost_nanousd INTEGER NOT NULL, PRIMARY KEY (t, status, error_type, user_id, service)) WITHOUT ROWID, STRICT;
CREATE TABLE rank_day_model (t INTEGER NOT NULL, model TEXT NOT NULL, user_id TEXT NOT NULL, provider TEXT NOT NULL, service TEXT NOT NULL, calls INTEGER NOT NULL, cost_nanousd INTEGER NOT NULL, PRIMARY KEY (t, model, user_id, provider, service)) WITHOUT ROWID, STRICT;
CREATE TABLE rank_day_provider (t INTEGER NOT NULL, provider TEXT NOT NULL, user_id TEXT NOT NULL, service TEXT NOT NULL, calls INTEGER NOT NULL, cost_nanousd INTEGER NOT NULL, PRIMARY KEY (t, provider, user_id, service)) WITHOUT ROWID, STRICT;
CREATE TABLE rank_day_route (t INTEGER NOT NULL, route TEXT NOT NULL, user_id TEXT NOT NULL, service TEXT NOT NULL, calls INTEGER NOT NULL, cost_nanousd INTEGER NOT NULL, PRIMARY KEY (t, route, user_id, service)) WITHOUT ROWID, STRICT;
CREATE TABLE rank_hour_failed (t INTEGER NOT NULL, status TEXT NOT NULL, error_type TEXT NOT NULL, user_id TEXT NOT NULL, service TEXT NOT NULL, calls INTEGER NOT NULL, cost_nanousd INTEGER NOT NULL, PRIMARY KEY (t, status, error_type, user_id, service)) WITHOUT ROWID, STRICT;
CREATE TABLE rank_hour_model (t INTEGER NOT NULL, model TEXT NOT NULL, user_id TEXT NOT NULL, provider TEXT NOT NULL, service TEXT NOT NULL, calls INTEGER NOT NULL, cost_nanousd INTEGER NOT NULL, PRIMARY KEY (t, model, user_id, provider, service)) WITHOUT ROWID, STRICT;
CREATE TABLE rank_hour_route (t INTEGER NOT NULL, route TEXT NOT NULL, user_id TEXT NOT NULL, service TEXT NOT NULL, calls INTEGER NOT NULL, cost_nanousd INTEGER NOT NULL, PRIMARY KEY (t, route, user_id, service)) WITHOUT ROWID, STRICT;
CREATE TABLE sum_5days_user (t INTEGER NOT NULL, user_id TEXT NOT NULL, service TEXT NOT NULL, calls INTEGER NOT NULL, rate_limited INTEGER NOT NULL, unpriced INTEGER NOT NULL, estimated INTEGER NOT NULL, retries INTEGER NOT NULL, duplicates INTEGER NOT NULL, duplicate_nanousd INTEGER NOT NULL, cost_nanousd INTEGER NOT NULL, prompt_tokens INTEGER NOT NULL, completion_tokens INTEGER NOT NULL, cached_tokens INTEGER NOT NULL, cache_write_tokens INTEGER NOT NULL, reasoning_tokens INTEGER NOT NULL, duration_ms INTEGER NOT NULL, cache_missed_tokens INTEGER NOT NULL, cache_missed_nanousd INTEGER NOT NULL, PRIMARY KEY (t, user_id, service)) WITHOUT ROWID, STRICT;
INSERT INTO "sum_5days_user" VALUES(1789776000000,'','',5,1,2,0,0,0,0,14000,520,100,0,0,0,3240,0,0);
INSERT INTO "sum_5days_user" VALUES(1789776000000,'ann','',5,1,2,0,0,0,0,13000,525,100,0,0,0,3425,0,0);
CREATE TABLE sum_day_both (t INTEGER NOT NULL, model TEXT NOT NULL, route TEXT NOT NULL, provider TEXT NOT NULL, status TEXT NOT NULL, error_type TEXT NOT NULL, service TEXT NOT NULL, calls INTEGER NOT NULL, rate_limited INTEGER NOT NULL, unpriced INTEGER NOT NULL, estimated INTEGER NOT NULL, retries INTEGER NOT NULL, duplicates INTEGER NOT NULL, duplicate_nanousd INTEGER NOT NULL, cost_nanousd INTEGER NOT NULL, prompt_tokens INTEGER NOT NULL, completion_tokens INTEGER NOT NULL, cached_tokens INTEGER NOT NULL, cache_write_tokens INTEGER NOT NULL, reasoning_tokens INTEGER NOT NULL, duration_ms INTEGER NOT NULL, cache_missed_tokens INTEGER NOT NULL, cache_missed_nanousd INTEGER NOT NULL, PRIMARY KEY (t, model, route, provider, status, error_type, service)) WITHOUT ROWID, STRICT;
INSERT INTO "sum_day_both" VALUES(1789948800000,'','POST /chat/{id}','','error','rate_limit','',1,1,0,0,0,0,0,4000,104,20,0,0,0,648,0,0);
INSERT INTO "sum_day_both" VALUES(1789948800000,'','POST /chat/{id}','','success','','',4,0,2,0,0,0,0,10000,416,80,0,0,0,2592,0,0);
INSERT INTO "sum_day_both" VALUES(1789948800000,'gpt-5-mini','POST /chat/{id}','','error','rate_limit','',1,1,1,0,0,0,0,0,109,20,0,0,0,833,0,0);
INSERT INTO "sum_day_both" VALUES(1789948800000,'gpt-5-mini','POST /chat/{id}','','success','','',4,0,1,0,0,0,0,13000,416,80,0,0,0,2592,0,0);
CREATE TABLE sum_day_model (t INTEGER NOT NULL, model TEXT NOT NULL, provider TEXT NOT NULL, status TEXT NOT NULL, error_type TEXT NOT NULL, service TEXT NOT NULL, calls INTEGER NOT NULL, rate_limited INTEGER NOT NULL, unpriced INTEGER NOT NULL, estimated INTEGER NOT NULL, retries INTEGER NOT NULL, duplicates INTEGER NOT NULL, duplicate_nanousd INTEGER NOT NULL, cost_nanousd INTEGER NOT NULL, prompt_tokens INTEGER NOT NULL, completion_tokens INTEGER NOT NULL, cached_tokens INTEGER NOT NULL, cache_write_tokens INTEGER NOT NULL, reasoning_tokens INTEGER NOT NULL, duration_ms INTEGER NOT NULL, cache_missed_tokens INTEGER NOT NULL, cache_missed_nanousd INTEGER NOT NULL, PRIMARY KEY (t, model, provider, status, error_type, service)) WITHOUT ROWID, STRICT;
INSERT INTO "sum_day_model" VALUES(1789948800000,'','','error','rate_limit','',1,1,0,0,0,0,0,4000,104,20,0,0,0,648,0,0);
INSERT INTO "sum_day_model" VALUES(1789948800000,'','','success','','',4,0,2,0,0,0,0,10000,416,80,0,0,0,2592,0,0);
INSERT INTO "sum_day_model" VALUES(1789948800000,'gpt-5-mini','','error','rate_limit','',1,1,1,0,0,0,0,0,109,20,0,0,0,833,0,0);
INSERT INTO "sum_day_model" VALUES(1789948800000,'gpt-5-mini','','success','','',4,0,1,0,0,0,0,13000,416,80,0,0,0,2592,0,0);
CREATE TABLE sum_day_provider (t INTEGER NOT NULL, provider TEXT NOT NULL, route TEXT NOT NULL, status TEXT NOT NULL, error_type TEXT NOT NULL, service TEXT NOT NULL, calls INTEGER NOT NULL, rate_limited INTEGER NOT NULL, unpriced INTEGER NOT NULL, estimated INTEGER NOT NULL, retries INTEGER NOT NULL, duplicates INTEGER NOT NULL, duplicate_nanousd INTEGER NOT NULL, cost_nanousd INTEGER NOT NULL, prompt_tokens INTEGER NOT NULL, completion_tokens INTEGER NOT NULL, cached_tokens INTEGER NOT NULL, cache_write_tokens INTEGER NOT NULL, reasoning_tokens INTEGER NOT NULL, duration_ms INTEGER NOT NULL, cache_missed_tokens INTEGER NOT NULL, cache_missed_nanousd INTEGER NOT NULL, PRIMARY KEY (t, provider, route, status, error_type, service)) WITHOUT ROWID, STRICT;
INSERT INTO "sum_day_provider" VALUES(1789948800000,'','POST /chat/{id}','error','rate_limit','',2,2,1,0,0,0,0,4000,213,40,0,0,0,1481,0,0);
INSERT INTO "sum_day_provider" VALUES(1789948800000,'','POST /chat/{id}','success','','',8,0,3,0,0,0,0,23000,832,160,0,0,0,5184,0,0);
CREATE TABLE sum_day_route (t INTEGER NOT NULL, route TEXT NOT NULL, status TEXT NOT NULL, service TEXT NOT NULL, calls INTEGER NOT NULL, rate_limited INTEGER NOT NULL, unpriced INTEGER NOT NULL, estimated INTEGER NOT NULL, retries INTEGER NOT NULL, duplicates INTEGER NOT NULL, duplicate_nanousd INTEGER NOT NULL, cost_nanousd INTEGER NOT NULL, prompt_tokens INTEGER NOT NULL, completion_tokens INTEGER NOT NULL, cached_tokens INTEGER NOT NULL, cache_write_tokens INTEGER NOT NULL, reasoning_tokens INTEGER NOT NULL, duration_ms INTEGER NOT NULL, cache_missed_tokens INTEGER NOT NULL, cache_missed_nanousd INTEGER NOT NULL, PRIMARY KEY (t, route, status, service)) WITHOUT ROWID, STRICT;
INSERT INTO "sum_day_route" VALUES(1789948800000,'POST /chat/{id}','error','',2,2,1,0,0,0,0,4000,213,40,0,0,0,1481,0,0);
INSERT INTO "sum_day_route" VALUES(1789948800000,'POST /chat/{id}','success','',8,0,3,0,0,0,0,23000,832,160,0,0,0,5184,0,0);
CREATE TABLE sum_day_user (t INTEGER NOT NULL, user_id TEXT NOT NULL, status TEXT NOT NULL, service TEXT NOT NULL, calls INTEGER NOT NULL, rate_limited INTEGER NOT NULL, unpriced INTEGER NOT NULL, estimated INTEGER NOT NULL, retries INTEGER NOT NULL, duplicates INTEGER NOT NULL, duplicate_nanousd INTEGER NOT NULL, cost_nanousd INTEGER NOT NULL, prompt_tokens INTEGER NOT NULL, completion_tokens INTEGER NOT NULL, cached_tokens INTEGER NOT NULL, cache_write_tokens INTEGER NOT NULL, reasoning_tokens INTEGER NOT NULL, duration_ms INTEGER NOT NULL, cache_missed_tokens INTEGER NOT NULL, cache_missed_nanousd INTEGER NOT NULL, PRIMARY KEY (t, user_id, status, service)) WITHOUT ROWID, STRICT;
INSERT INTO "sum_day_user" VALUES(1789948800000,'','error','',1,1,0,0,0,0,0,4000,104,20,0,0,0,648,0,0);
INSERT INTO "sum_day_user" VALUES(1789948800000,'','success','',4,0,2,0,0,0,0,10000,416,80,0,0,0,2592,0,0);
INSERT INTO "sum_day_user" VALUES(1789948800000,'ann','error','',1,1,1,0,0,0,0,0,109,20,0,0,0,833,0,0);
INSERT INTO "sum_day_user" VALUES(1789948800000,'ann','success','',4,0,1,0,0,0,0,13000,416,80,0,0,0,2592,0,0);
CREATE TABLE sum_day_user_model (t INTEGER NOT NULL, user_id TEXT NOT NULL, model TEXT NOT NULL, provider TEXT NOT NULL, status TEXT NOT NULL, error_type TEXT NOT NULL, service TEXT NOT NULL, calls INTEGER NOT NULL, rate_limited INTEGER NOT NULL, unpriced INTEGER NOT NULL, estimated INTEGER NOT NULL, retries INTEGER NOT NULL, duplicates INTEGER NOT NULL, duplicate_nanousd INTEGER NOT NULL, cost_nanousd INTEGER NOT NULL, prompt_tokens INTEGER NOT NULL, completion_tokens INTEGER NOT NULL, cached_tokens INTEGER NOT NULL, cache_write_tokens INTEGER NOT NULL, reasoning_tokens INTEGER NOT NULL, duration_ms INTEGER NOT NULL, cache_missed_tokens INTEGER NOT NULL, cache_missed_nanousd INTEGER NOT NULL, PRIMARY KEY (t, user_id, model, provider, status, error_type, service)) WITHOUT ROWID, STRICT;
CREATE TABLE sum_day_user_route (t INTEGER NOT NULL, user_id TEXT NOT NULL, route TEXT NOT NULL, status TEXT NOT NULL, service TEXT NOT NULL, calls INTEGER NOT NULL, rate_limited INTEGER NOT NULL, unpriced INTEGER NOT NULL, estimated INTEGER NOT NULL, retries INTEGER NOT NULL, duplicates INTEGER NOT NULL, duplicate_nanousd INTEGER NOT NULL, cost_nanousd INTEGER NOT NULL, prompt_tokens INTEGER NOT NULL, completion_tokens INTEGER NOT NULL, cached_tokens INTEGER NOT NULL, cache_write_tokens INTEGER NOT NULL, reasoning_tokens INTEGER NOT NULL, duration_ms INTEGER NOT NULL, cache_missed_tokens INTEGER NOT NULL, cache_missed_nanousd INTEGER NOT NULL, PRIMARY KEY (t, user_id, route, status, service)) WITHOUT ROWID, STRICT;
CREATE TABLE sum_hour_both (t INTEGER NOT NULL, model TEXT NOT NULL, route TEXT NOT NULL, provider TEXT NOT NULL, status TEXT NOT NULL, error_type TEXT NOT NULL, service TEXT NOT NULL, calls INTEGER NOT NULL, rate_limited INTEGER NOT NULL, unpriced INTEGER NOT NULL, estimated INTEGER NOT NULL, retries INTEGER NOT NULL, duplicates INTEGER NOT NULL, duplicate_nanousd INTEGER NOT NULL, cost_nanousd INTEGER NOT NULL, prompt_tokens INTEGER NOT NULL, completion_tokens INTEGER NOT NULL, cached_tokens INTEGER NOT NULL, cache_write_tokens INTEGER NOT NULL, reasoning_tokens INTEGER NOT NULL, duration_ms INTEGER NOT NULL, cache_missed_tokens INTEGER NOT NULL, cache_missed_nanousd INTEGER NOT NULL, PRIMARY KEY (t, model, route, provider, status, error_type, service)) WITHOUT ROWID, STRICT;
INSERT INTO "sum_hour_both" VALUES(1789999200000,'','POST /chat/{id}','','error','rate_limit','',1,1,0,0,0,0,0,4000,104,20,0,0,0,648,0,0);
INSERT INTO "sum_hour_both" VALUES(1789999200000,'','POST /chat/{id}','','success','','',4,0,2,0,0,0,0,10000,416,80,0,0,0,2592,0,0);
INSERT INTO "sum_hour_both" VALUES(1789999200000,'gpt-5-mini','POST /chat/{id}','','error','rate_limit','',1,1,1,0,0,0,0,0,109,20,0,0,0,833,0,0);
INSERT INTO "sum_hour_both" VALUES(1789999200000,'gpt-5-mini','POST /chat/{id}','','success','','',4,0,1,0,0,0,0,13000,416,80,0,0,0,2592,0,0);
CREATE TABLE sum_hour_model (t INTEGER NOT NULL, model TEXT NOT NULL, provider TEXT NOT NULL, status TEXT NOT NULL, error_type TEXT NOT NULL, service TEXT NOT NULL, calls INTEGER NOT NULL, rate_limited INTEGER NOT NULL, unpriced INTEGER NOT NULL, estimated INTEGER NOT NULL, retries INTEGER NOT NULL, duplicates INTEGER NOT NULL, duplicate_nanousd INTEGER NOT NULL, cost_nanousd INTEGER NOT NULL, prompt_tokens INTEGER NOT NULL, completion_tokens INTEGER NOT NULL, cached_tokens INTEGER NOT NULL, cache_write_tokens INTEGER NOT NULL, reasoning_tokens INTEGER NOT NULL, duration_ms INTEGER NOT NULL, cache_missed_tokens INTEGER NOT NULL, cache_missed_nanousd INTEGER NOT NULL, PRIMARY KEY (t, model, provider, status, error_type, service)) WITHOUT ROWID, STRICT;
INSERT INTO "sum_hour_model" VALUES(1789999200000,'','','error','rate_limit','',1,1,0,0,0,0,0,4000,104,20,0,0,0,648,0,0);
INSERT INTO "sum_hour_model" VALUES(1789999200000,'','','success','','',4,0,2,0,0,0,0,10000,416,80,0,0,0,2592,0,0);
INSERT INTO "sum_hour_model" VALUES(1789999200000,'gpt-5-mini','','error','rate_limit','',1,1,1,0,0,0,0,0,109,20,0,0,0,833,0,0);
INSERT INTO "sum_hour_model" VALUES(1789999200000,'gpt-5-mini','','success','','',4,0,1,0,0,0,0,13000,416,80,0,0,0,2592,0,0);
CREATE TABLE sum_hour_provider (t INTEGER NOT NULL, provider TEXT NOT NULL, route TEXT NOT NULL, status TEXT NOT NULL, error_type TEXT NOT NULL, service TEXT NOT NULL, calls INTEGER NOT NULL, rate_limited INTEGER NOT NULL, unpriced INTEGER NOT NULL, estimated INTEGER NOT NULL, retries INTEGER NOT NULL, duplicates INTEGER NOT NULL, duplicate_nanousd INTEGER NOT NULL, cost_nanousd INTEGER NOT NULL, prompt_tokens INTEGER NOT NULL, completion_tokens INTEGER NOT NULL, cached_tokens INTEGER NOT NULL, cache_write_tokens INTEGER NOT NULL, reasoning_tokens INTEGER NOT NULL, duration_ms INTEGER NOT NULL, cache_missed_tokens INTEGER NOT NULL, cache_missed_nanousd INTEGER NOT NULL, PRIMARY KEY (t, provider, route, status, error_type, service)) WITHOUT ROWID, STRICT;
CREATE TABLE sum_hour_route (t INTEGER NOT NULL, route TEXT NOT NULL, status TEXT NOT NULL, service TEXT NOT NULL, calls INTEGER NOT NULL, rate_limited INTEGER NOT NULL, unpriced INTEGER NOT NULL, estimated INTEGER NOT NULL, retries INTEGER NOT NULL, duplicates INTEGER NOT NULL, duplicate_nanousd INTEGER NOT NULL, cost_nanousd INTEGER NOT NULL, prompt_tokens INTEGER NOT NULL, completion_tokens INTEGER NOT NULL, cached_tokens INTEGER NOT NULL, cache_write_tokens INTEGER NOT NULL, reasoning_tokens INTEGER NOT NULL, duration_ms INTEGER NOT NULL, cache_missed_tokens INTEGER NOT NULL, cache_missed_nanousd INTEGER NOT NULL, PRIMARY KEY (t, route, status, service)) WITHOUT ROWID, STRICT;
INSERT INTO "sum_hour_route" VALUES(1789999200000,'POST /chat/{id}','error','',2,2,1,0,0,0,0,4000,213,40,0,0,0,1481,0,0);
INSERT INTO "sum_hour_route" VALUES(1789999200000,'POST /chat/{id}','success','',8,0,3,0,0,0,0,23000,832,160,0,0,0,5184,0,0);
CREATE TABLE sum_hour_user (t INTEGER NOT NULL, user_id TEXT NOT NULL, status TEXT NOT NULL, service TEXT NOT NULL, calls INTEGER NOT NULL, rate_limited INTEGER NOT NULL, unpriced INTEGER NOT NULL, estimated INTEGER NOT NULL, retries INTEGER NOT NULL, duplicates INTEGER NOT NULL, duplicate_nanousd INTEGER NOT NULL, cost_nanousd INTEGER NOT NULL, prompt_tokens INTEGER NOT NULL, completion_tokens INTEGER NOT NULL, cached_tokens INTEGER NOT NULL, cache_write_tokens INTEGER NOT NULL, reasoning_tokens INTEGER NOT NULL, duration_ms INTEGER NOT NULL, cache_missed_tokens INTEGER NOT NULL, cache_missed_nanousd INTEGER NOT NULL, PRIMARY KEY (t, user_id, status, service)) WITHOUT ROWID, STRICT;
CREATE TABLE sum_hour_user_model (t INTEGER NOT NULL, user_id TEXT NOT NULL, model TEXT NOT NULL, provider TEXT NOT NULL, status TEXT NOT NULL, error_type TEXT NOT NULL, service TEXT NOT NULL, calls INTEGER NOT NULL, rate_limited INTEGER NOT NULL, unpriced INTEGER NOT NULL, estimated INTEGER NOT NULL, retries INTEGER NOT NULL, duplicates INTEGER NOT NULL, duplicate_nanousd INTEGER NOT NULL, cost_nanousd INTEGER NOT NULL, prompt_tokens INTEGER NOT NULL, completion_tokens INTEGER NOT NULL, cached_tokens INTEGER NOT NULL, cache_write_tokens INTEGER NOT NULL, reasoning_tokens INTEGER NOT NULL, duration_ms INTEGER NOT NULL, cache_missed_tokens INTEGER NOT NULL, cache_missed_nanousd INTEGER NOT NULL, PRIMARY KEY (t, user_id, model, provider, status, error_type, service)) WITHOUT ROWID, STRICT;
CREATE TABLE sum_hour_user_route (t INTEGER NOT NULL, user_id TEXT NOT NULL, route TEXT NOT NULL, status TEXT NOT NULL, service TEXT NOT NULL, calls INTEGER NOT NULL, rate_limited INTEGER NOT NULL, unpriced INTEGER NOT NULL, estimated INTEGER NOT NULL, retries INTEGER NOT NULL, duplicates INTEGER NOT NULL, duplicate_nanousd INTEGER NOT NULL, cost_nanousd INTEGER NOT NULL, prompt_tokens INTEGER NOT NULL, completion_tokens INTEGER NOT NULL, cached_tokens INTEGER NOT NULL, cache_write_tokens INTEGER NOT NULL, reasoning_tokens INTEGER NOT NULL, duration_ms INTEGER NOT NULL, cache_missed_tokens INTEGER NOT NULL, cache_missed_nanousd INTEGER NOT NULL, PRIMARY KEY (t, user_id, route, status, service)) WITHOUT ROWID, STRICT;
CREATE TABLE sum_minute_both (t INTEGER NOT NULL, model TEXT NOT NULL, route TEXT NOT NULL, provider TEXT NOT NULL, status TEXT NOT NULL, error_type TEXT NOT NULL, service TEXT NOT NULL, calls INTEGER NOT NULL, rate_limited INTEGER NOT NULL, unpriced INTEGER NOT NULL, estimated INTEGER NOT NULL, retries INTEGER NOT NULL, duplicates INTEGER NOT NULL, duplicate_nanousd INTEGER NOT NULL, cost_nanousd INTEGER NOT NULL, prompt_tokens INTEGER NOT NULL, completion_tokens INTEGER NOT NULL, cached_tokens INTEGER NOT NULL, cache_write_tokens INTEGER NOT NULL, reasoning_tokens INTEGER NOT NULL, duration_ms INTEGER NOT NULL, cache_missed_tokens INTEGER NOT NULL, cache_missed_nanousd INTEGER NOT NULL, PRIMARY KEY (t, model, route, provider, status, error_type, service)) WITHOUT ROWID, STRICT;
CREATE TABLE sum_minute_model (t INTEGER NOT NULL, model TEXT NOT NULL, provider TEXT NOT NULL, status TEXT NOT NULL, error_type TEXT NOT NULL, service TEXT NOT NULL, calls INTEGER NOT NULL, rate_limited INTEGER NOT NULL, unpriced INTEGER NOT NULL, estimated INTEGER NOT NULL, retries INTEGER NOT NULL, duplicates INTEGER NOT NULL, duplicate_nanousd INTEGER NOT NULL, cost_nanousd INTEGER NOT NULL, prompt_tokens INTEGER NOT NULL, completion_tokens INTEGER NOT NULL, cached_tokens INTEGER NOT NULL, cache_write_tokens INTEGER NOT NULL, reasoning_tokens INTEGER NOT NULL, duration_ms INTEGER NOT NULL, cache_missed_tokens INTEGER NOT NULL, cache_missed_nanousd INTEGER NOT NULL, PRIMARY KEY (t, model, provider, status, error_type, service)) WITHOUT ROWID, STRICT;
CREATE TABLE sum_minute_route (t INTEGER NOT NULL, route TEXT NOT NULL, status TEXT NOT NULL, service TEXT NOT NULL, calls INTEGER NOT NULL, rate_limited INTEGER NOT NULL, unpriced INTEGER NOT NULL, estimated INTEGER NOT NULL, retries INTEGER NOT NULL, duplicates INTEGER NOT NULL, duplicate_nanousd INTEGER NOT NULL, cost_nanousd INTEGER NOT NULL, prompt_tokens INTEGER NOT NULL, completion_tokens INTEGER NOT NULL, cached_tokens INTEGER NOT NULL, cache_write_tokens INTEGER NOT NULL, reasoning_tokens INTEGER NOT NULL, duration_ms INTEGER NOT NULL, cache_missed_tokens INTEGER NOT NULL, cache_missed_nanousd INTEGER NOT NULL, PRIMARY KEY (t, route, status, service)) WITHOUT ROWID, STRICT;
CREATE TABLE time_5days_model (t INTEGER NOT NULL, model TEXT NOT NULL, provider TEXT NOT NULL, service TEXT NOT NULL, timing INTEGER NOT NULL, block INTEGER NOT NULL, n0 INTEGER NOT NULL, n1 INTEGER NOT NULL, n2 INTEGER NOT NULL, n3 INTEGER NOT NULL, n4 INTEGER NOT NULL, n5 INTEGER NOT NULL, n6 INTEGER NOT NULL, n7 INTEGER NOT NULL, n8 INTEGER NOT NULL, n9 INTEGER NOT NULL, n10 INTEGER NOT NULL, n11 INTEGER NOT NULL, n12 INTEGER NOT NULL, n13 INTEGER NOT NULL, n14 INTEGER NOT NULL, n15 INTEGER NOT NULL, PRIMARY KEY (t, model, provider, service, timing, block)) WITHOUT ROWID, STRICT;
INSERT INTO "time_5days_model" VALUES(1789776000000,'','','',0,10,1,0,0,1,0,0,0,0,0,1,0,0,1,0,0,0);
INSERT INTO "time_5days_model" VALUES(1789776000000,'gpt-5-mini','','',0,10,0,0,1,0,0,1,0,0,1,0,0,1,0,0,0,0);
INSERT INTO "time_5days_model" VALUES(1789776000000,'gpt-5-mini','','',1,7,0,0,0,0,4,0,0,0,0,0,0,0,0,0,0,0);
CREATE TABLE time_5days_route (t INTEGER NOT NULL, route TEXT NOT NULL, service TEXT NOT NULL, timing INTEGER NOT NULL, block INTEGER NOT NULL, n0 INTEGER NOT NULL, n1 INTEGER NOT NULL, n2 INTEGER NOT NULL, n3 INTEGER NOT NULL, n4 INTEGER NOT NULL, n5 INTEGER NOT NULL, n6 INTEGER NOT NULL, n7 INTEGER NOT NULL, n8 INTEGER NOT NULL, n9 INTEGER NOT NULL, n10 INTEGER NOT NULL, n11 INTEGER NOT NULL, n12 INTEGER NOT NULL, n13 INTEGER NOT NULL, n14 INTEGER NOT NULL, n15 INTEGER NOT NULL, PRIMARY KEY (t, route, service, timing, block)) WITHOUT ROWID, STRICT;
INSERT INTO "time_5days_route" VALUES(1789776000000,'POST /chat/{id}','',0,10,1,0,1,1,0,1,0,0,1,1,0,1,1,0,0,0);
INSERT INTO "time_5days_route" VALUES(1789776000000,'POST /chat/{id}','',1,7,0,0,0,0,4,0,0,0,0,0,0,0,0,0,0,0);
CREATE TABLE time_day (t INTEGER NOT NULL, service TEXT NOT NULL, timing INTEGER NOT NULL, block INTEGER NOT NULL, n0 INTEGER NOT NULL, n1 INTEGER NOT NULL, n2 INTEGER NOT NULL, n3 INTEGER NOT NULL, n4 INTEGER NOT NULL, n5 INTEGER NOT NULL, n6 INTEGER NOT NULL, n7 INTEGER NOT NULL, n8 INTEGER NOT NULL, n9 INTEGER NOT NULL, n10 INTEGER NOT NULL, n11 INTEGER NOT NULL, n12 INTEGER NOT NULL, n13 INTEGER NOT NULL, n14 INTEGER NOT NULL, n15 INTEGER NOT NULL, PRIMARY KEY (t, service, timing, block)) WITHOUT ROWID, STRICT;
INSERT INTO "time_day" VALUES(1789948800000,'',0,10,1,0,1,1,0,1,0,0,1,1,0,1,1,0,0,0);
INSERT INTO "time_day" VALUES(1789948800000,'',1,7,0,0,0,0,4,0,0,0,0,0,0,0,0,0,0,0);
CREATE TABLE time_day_both (t INTEGER NOT NULL, model TEXT NOT NULL, route TEXT NOT NULL, provider TEXT NOT NULL, service TEXT NOT NULL, timing INTEGER NOT NULL, block INTEGER NOT NULL, n0 INTEGER NOT NULL, n1 INTEGER NOT NULL, n2 INTEGER NOT NULL, n3 INTEGER NOT NULL, n4 INTEGER NOT NULL, n5 INTEGER NOT NULL, n6 INTEGER NOT NULL, n7 INTEGER NOT NULL, n8 INTEGER NOT NULL, n9 INTEGER NOT NULL, n10 INTEGER NOT NULL, n11 INTEGER NOT NULL, n12 INTEGER NOT NULL, n13 INTEGER NOT NULL, n14 INTEGER NOT NULL, n15 INTEGER NOT NULL, PRIMARY KEY (t, model, route, provider, service, timing, block)) WITHOUT ROWID, STRICT;
INSERT INTO "time_day_both" VALUES(1789948800000,'','POST /chat/{id}','','',0,10,1,0,0,1,0,0,0,0,0,1,0,0,1,0,0,0);
INSERT INTO "time_day_both" VALUES(1789948800000,'gpt-5-mini','POST /chat/{id}','','',0,10,0,0,1,0,0,1,0,0,1,0,0,1,0,0,0,0);
INSERT INTO "time_day_both" VALUES(1789948800000,'gpt-5-mini','POST /chat/{id}','','',1,7,0,0,0,0,4,0,0,0,0,0,0,0,0,0,0,0);
CREATE TABLE time_day_model (t INTEGER NOT NULL, model TEXT NOT NULL, provider TEXT NOT NULL, service TEXT NOT NULL, timing INTEGER NOT NULL, block INTEGER NOT NULL, n0 INTEGER NOT NULL, n1 INTEGER NOT NULL, n2 INTEGER NOT NULL, n3 INTEGER NOT NULL, n4 INTEGER NOT NULL, n5 INTEGER NOT NULL, n6 INTEGER NOT NULL, n7 INTEGER NOT NULL, n8 INTEGER NOT NULL, n9 INTEGER NOT NULL, n10 INTEGER NOT NULL, n11 INTEGER NOT NULL, n12 INTEGER NOT NULL, n13 INTEGER NOT NULL, n14 INTEGER NOT NULL, n15 INTEGER NOT NULL, PRIMARY KEY (t, model, provider, service, timing, block)) WITHOUT ROWID, STRICT;
INSERT INTO "time_day_model" VALUES(1789948800000,'','','',0,10,1,0,0,1,0,0,0,0,0,1,0,0,1,0,0,0);
INSERT INTO "time_day_model" VALUES(1789948800000,'gpt-5-mini','','',0,10,0,0,1,0,0,1,0,0,1,0,0,1,0,0,0,0);
INSERT INTO "time_day_model" VALUES(1789948800000,'gpt-5-mini','','',1,7,0,0,0,0,4,0,0,0,0,0,0,0,0,0,0,0);
CREATE TABLE time_day_provider (t INTEGER NOT NULL, provider TEXT NOT NULL, route TEXT NOT NULL, service TEXT NOT NULL, timing INTEGER NOT NULL, block INTEGER NOT NULL, n0 INTEGER NOT NULL, n1 INTEGER NOT NULL, n2 INTEGER NOT NULL, n3 INTEGER NOT NULL, n4 INTEGER NOT NULL, n5 INTEGER NOT NULL, n6 INTEGER NOT NULL, n7 INTEGER NOT NULL, n8 INTEGER NOT NULL, n9 INTEGER NOT NULL, n10 INTEGER NOT NULL, n11 INTEGER NOT NULL, n12 INTEGER NOT NULL, n13 INTEGER NOT NULL, n14 INTEGER NOT NULL, n15 INTEGER NOT NULL, PRIMARY KEY (t, provider, route, service, timing, block)) WITHOUT ROWID, STRICT;
INSERT INTO "time_day_provider" VALUES(1789948800000,'','POST /chat/{id}','',0,10,1,0,1,1,0,1,0,0,1,1,0,1,1,0,0,0);
INSERT INTO "time_day_provider" VALUES(1789948800000,'','POST /chat/{id}','',1,7,0,0,0,0,4,0,0,0,0,0,0,0,0,0,0,0);
CREATE TABLE time_day_route (t INTEGER NOT NULL, route TEXT NOT NULL, service TEXT NOT NULL, timing INTEGER NOT NULL, block INTEGER NOT NULL, n0 INTEGER NOT NULL, n1 INTEGER NOT NULL, n2 INTEGER NOT NULL, n3 INTEGER NOT NULL, n4 INTEGER NOT NULL, n5 INTEGER NOT NULL, n6 INTEGER NOT NULL, n7 INTEGER NOT NULL, n8 INTEGER NOT NULL, n9 INTEGER NOT NULL, n10 INTEGER NOT NULL, n11 INTEGER NOT NULL, n12 INTEGER NOT NULL, n13 INTEGER NOT NULL, n14 INTEGER NOT NULL, n15 INTEGER NOT NULL, PRIMARY KEY (t, route, service, timing, block)) WITHOUT ROWID, STRICT;
INSERT INTO "time_day_route" VALUES(1789948800000,'POST /chat/{id}','',0,10,1,0,1,1,0,1,0,0,1,1,0,1,1,0,0,0);
INSERT INTO "time_day_route" VALUES(1789948800000,'POST /chat/{id}','',1,7,0,0,0,0,4,0,0,0,0,0,0,0,0,0,0,0);
CREATE TABLE time_day_user_model (t INTEGER NOT NULL, user_id TEXT NOT NULL, model TEXT NOT NULL, provider TEXT NOT NULL, service TEXT NOT NULL, timing INTEGER NOT NULL, block INTEGER NOT NULL, n0 INTEGER NOT NULL, n1 INTEGER NOT NULL, n2 INTEGER NOT NULL, n3 INTEGER NOT NULL, n4 INTEGER NOT NULL, n5 INTEGER NOT NULL, n6 INTEGER NOT NULL, n7 INTEGER NOT NULL, n8 INTEGER NOT NULL, n9 INTEGER NOT NULL, n10 INTEGER NOT NULL, n11 INTEGER NOT NULL, n12 INTEGER NOT NULL, n13 INTEGER NOT NULL, n14 INTEGER NOT NULL, n15 INTEGER NOT NULL, PRIMARY KEY (t, user_id, model, provider, service, timing, block)) WITHOUT ROWID, STRICT;
CREATE TABLE time_day_user_route (t INTEGER NOT NULL, user_id TEXT NOT NULL, route TEXT NOT NULL, service TEXT NOT NULL, timing INTEGER NOT NULL, block INTEGER NOT NULL, n0 INTEGER NOT NULL, n1 INTEGER NOT NULL, n2 INTEGER NOT NULL, n3 INTEGER NOT NULL, n4 INTEGER NOT NULL, n5 INTEGER NOT NULL, n6 INTEGER NOT NULL, n7 INTEGER NOT NULL, n8 INTEGER NOT NULL, n9 INTEGER NOT NULL, n10 INTEGER NOT NULL, n11 INTEGER NOT NULL, n12 INTEGER NOT NULL, n13 INTEGER NOT NULL, n14 INTEGER NOT NULL, n15 INTEGER NOT NULL, PRIMARY KEY (t, user_id, route, service, timing, block)) WITHOUT ROWID, STRICT;
CREATE TABLE time_hour (t INTEGER NOT NULL, service TEXT NOT NULL, timing INTEGER NOT NULL, block INTEGER NOT NULL, n0 INTEGER NOT NULL, n1 INTEGER NOT NULL, n2 INTEGER NOT NULL, n3 INTEGER NOT NULL, n4 INTEGER NOT NULL, n5 INTEGER NOT NULL, n6 INTEGER NOT NULL, n7 INTEGER NOT NULL, n8 INTEGER NOT NULL, n9 INTEGER NOT NULL, n10 INTEGER NOT NULL, n11 INTEGER NOT NULL, n12 INTEGER NOT NULL, n13 INTEGER NOT NULL, n14 INTEGER NOT NULL, n15 INTEGER NOT NULL, PRIMARY KEY (t, service, timing, block)) WITHOUT ROWID, STRICT;
INSERT INTO "time_hour" VALUES(1789999200000,'',0,10,1,0,1,1,0,1,0,0,1,1,0,1,1,0,0,0);
INSERT INTO "time_hour" VALUES(1789999200000,'',1,7,0,0,0,0,4,0,0,0,0,0,0,0,0,0,0,0);
CREATE TABLE time_hour_both (t INTEGER NOT NULL, model TEXT NOT NULL, route TEXT NOT NULL, provider TEXT NOT NULL, service TEXT NOT NULL, timing INTEGER NOT NULL, block INTEGER NOT NULL, n0 INTEGER NOT NULL, n1 INTEGER NOT NULL, n2 INTEGER NOT NULL, n3 INTEGER NOT NULL, n4 INTEGER NOT NULL, n5 INTEGER NOT NULL, n6 INTEGER NOT NULL, n7 INTEGER NOT NULL, n8 INTEGER NOT NULL, n9 INTEGER NOT NULL, n10 INTEGER NOT NULL, n11 INTEGER NOT NULL, n12 INTEGER NOT NULL, n13 INTEGER NOT NULL, n14 INTEGER NOT NULL, n15 INTEGER NOT NULL, PRIMARY KEY (t, model, route, provider, service, timing, block)) WITHOUT ROWID, STRICT;
CREATE TABLE time_hour_model (t INTEGER NOT NULL, model TEXT NOT NULL, provider TEXT NOT NULL, service TEXT NOT NULL, timing INTEGER NOT NULL, block INTEGER NOT NULL, n0 INTEGER NOT NULL, n1 INTEGER NOT NULL, n2 INTEGER NOT NULL, n3 INTEGER NOT NULL, n4 INTEGER NOT NULL, n5 INTEGER NOT NULL, n6 INTEGER NOT NULL, n7 INTEGER NOT NULL, n8 INTEGER NOT NULL, n9 INTEGER NOT NULL, n10 INTEGER NOT NULL, n11 INTEGER NOT NULL, n12 INTEGER NOT NULL, n13 INTEGER NOT NULL, n14 INTEGER NOT NULL, n15 INTEGER NOT NULL, PRIMARY KEY (t, model, provider, service, timing, block)) WITHOUT ROWID, STRICT;
INSERT INTO "time_hour_model" VALUES(1789999200000,'','','',0,10,1,0,0,1,0,0,0,0,0,1,0,0,1,0,0,0);
INSERT INTO "time_hour_model" VALUES(1789999200000,'gpt-5-mini','','',0,10,0,0,1,0,0,1,0,0,1,0,0,1,0,0,0,0);
INSERT INTO "time_hour_model" VALUES(1789999200000,'gpt-5-mini','','',1,7,0,0,0,0,4,0,0,0,0,0,0,0,0,0,0,0);
CREATE TABLE time_hour_route (t INTEGER NOT NULL, route TEXT NOT NULL, service TEXT NOT NULL, timing INTEGER NOT NULL, block INTEGER NOT NULL, n0 INTEGER NOT NULL, n1 INTEGER NOT NULL, n2 INTEGER NOT NULL, n3 INTEGER NOT NULL, n4 INTEGER NOT NULL, n5 INTEGER NOT NULL, n6 INTEGER NOT NULL, n7 INTEGER NOT NULL, n8 INTEGER NOT NULL, n9 INTEGER NOT NULL, n10 INTEGER NOT NULL, n11 INTEGER NOT NULL, n12 INTEGER NOT NULL, n13 INTEGER NOT NULL, n14 INTEGER NOT NULL, n15 INTEGER NOT NULL, PRIMARY KEY (t, route, service, timing, block)) WITHOUT ROWID, STRICT;
INSERT INTO "time_hour_route" VALUES(1789999200000,'POST /chat/{id}','',0,10,1,0,1,1,0,1,0,0,1,1,0,1,1,0,0,0);
INSERT INTO "time_hour_route" VALUES(1789999200000,'POST /chat/{id}','',1,7,0,0,0,0,4,0,0,0,0,0,0,0,0,0,0,0);
CREATE TABLE time_hour_user_model (t INTEGER NOT NULL, user_id TEXT NOT NULL, model TEXT NOT NULL, provider TEXT NOT NULL, service TEXT NOT NULL, timing INTEGER NOT NULL, block INTEGER NOT NULL, n0 INTEGER NOT NULL, n1 INTEGER NOT NULL, n2 INTEGER NOT NULL, n3 INTEGER NOT NULL, n4 INTEGER NOT NULL, n5 INTEGER NOT NULL, n6 INTEGER NOT NULL, n7 INTEGER NOT NULL, n8 INTEGER NOT NULL, n9 INTEGER NOT NULL, n10 INTEGER NOT NULL, n11 INTEGER NOT NULL, n12 INTEGER NOT NULL, n13 INTEGER NOT NULL, n14 INTEGER NOT NULL, n15 INTEGER NOT NULL, PRIMARY KEY (t, user_id, model, provider, service, timing, block)) WITHOUT ROWID, STRICT;
CREATE TABLE time_hour_user_route (t INTEGER NOT NULL, user_id TEXT NOT NULL, route TEXT NOT NULL, service TEXT NOT NULL, timing INTEGER NOT NULL, block INTEGER NOT NULL, n0 INTEGER NOT NULL, n1 INTEGER NOT NULL, n2 INTEGER NOT NULL, n3 INTEGER NOT NULL, n4 INTEGER NOT NULL, n5 INTEGER NOT NULL, n6 INTEGER NOT NULL, n7 INTEGER NOT NULL, n8 INTEGER NOT NULL, n9 INTEGER NOT NULL, n10 INTEGER NOT NULL, n11 INTEGER NOT NULL, n12 INTEGER NOT NULL, n13 INTEGER NOT NULL, n14 INTEGER NOT NULL, n15 INTEGER NOT NULL, PRIMARY KEY (t, user_id, route, service, timing, block)) WITHOUT ROWID, STRICT;
CREATE TABLE time_minute (t INTEGER NOT NULL, service TEXT NOT NULL, timing INTEGER NOT NULL, block INTEGER NOT NULL, n0 INTEGER NOT NULL, n1 INTEGER NOT NULL, n2 INTEGER NOT NULL, n3 INTEGER NOT NULL, n4 INTEGER NOT NULL, n5 INTEGER NOT NULL, n6 INTEGER NOT NULL, n7 INTEGER NOT NULL, n8 INTEGER NOT NULL, n9 INTEGER NOT NULL, n10 INTEGER NOT NULL, n11 INTEGER NOT NULL, n12 INTEGER NOT NULL, n13 INTEGER NOT NULL, n14 INTEGER NOT NULL, n15 INTEGER NOT NULL, PRIMARY KEY (t, service, timing, block)) WITHOUT ROWID, STRICT;
CREATE INDEX llm_calls_timestamp ON llm_calls (timestamp);
CREATE INDEX llm_bodies_timestamp ON llm_bodies (timestamp);
CREATE INDEX llm_spans_timestamp ON llm_spans (timestamp);
CREATE INDEX llm_spans_trace ON llm_spans (trace_id);
CREATE INDEX llm_scores_timestamp ON llm_scores (timestamp);
CREATE INDEX llm_scores_call ON llm_scores (call_id) WHERE call_id IS NOT NULL;
CREATE INDEX llm_scores_trace ON llm_scores (trace_id) WHERE trace_id IS NOT NULL;
COMMIT;
