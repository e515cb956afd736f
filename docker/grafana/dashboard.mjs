// The dashboard, described: rows of panels, each a title, a unit, and queries with the names of their lines. Writes
// dashboards/fluxora.json, which is what Grafana reads: node docker/grafana/dashboard.mjs
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const JOB = 'job="$job"';
const ONE = `${JOB}, instance=~"$instance"`;
/** The increase a second, of the instances chosen. @param {string} metric @param {string} [by] @param {string} [more] */
const rate = (metric, by = '', more = '') =>
  `sum${by && ` by (${by})`} (rate(${metric}{${ONE}${more && `, ${more}`}}[$__rate_interval]))`;
/** A gauge of each instance. @param {string} metric @param {string} [more] */
const each = (metric, more = '') => `${metric}{${ONE}${more && `, ${more}`}}`;
/** What all instances tell alike. @param {string} metric @param {string} [more] */
const any = (metric, more = '') => `max (${metric}{${JOB}${more && `, ${more}`}})`;
const quantile = (share, metric, by = '') =>
  `histogram_quantile(${share}, sum by (le${by && `, ${by}`}) (rate(${metric}_bucket{${ONE}}[$__rate_interval])))`;

/**
 * Lines of a panel: what they are called (with labels in {{}}), and their queries.
 * @typedef {{title: string, unit: string, lines: [string, string][], about?: string, stat?: boolean}} Panel
 */

/** @type {{title: string, panels: Panel[]}[]} */
export const ROWS = [
  {
    title: 'At a glance',
    panels: [
      { title: 'Instances', unit: 'none', stat: true, lines: [['up', `sum(up{${JOB}})`]] },
      { title: 'Database answers', unit: 'bool_yes_no', stat: true, lines: [['yes', `min(fluxora_db_up{${JOB}})`]] },
      { title: 'Indexer lag', unit: 's', stat: true, lines: [['lag', any('fluxora_indexer_lag_seconds')]] },
      { title: 'Alarms that stand', unit: 'none', stat: true, lines: [['alarms', `sum(max by (alarm) (fluxora_indexer_alarm{${JOB}}))`]] },
      { title: 'Requests that fail', unit: 'percentunit', stat: true, lines: [['5xx', `(${rate('fluxora_http_requests_total', '', 'status=~"5.."')} or vector(0)) / ${rate('fluxora_http_requests_total')}`]] },
      { title: 'Deliveries that wait', unit: 'short', stat: true, lines: [['waiting', any('fluxora_webhook_deliveries', 'state="waiting"')]] },
    ],
  },
  {
    title: 'Service',
    panels: [
      { title: 'Requests by status', unit: 'reqps', lines: [['{{status}}', rate('fluxora_http_requests_total', 'status')]] },
      { title: 'Requests by route', unit: 'reqps', lines: [['{{method}} {{route}}', rate('fluxora_http_requests_total', 'method, route')]] },
      { title: 'Duration, all routes', unit: 's', lines: [0.5, 0.95, 0.99].map((share) => [`p${share * 100}`, quantile(share, 'fluxora_http_request_duration_seconds')]) },
      { title: 'Duration, p99 by route', unit: 's', lines: [['{{route}}', quantile(0.99, 'fluxora_http_request_duration_seconds', 'route')]] },
      { title: 'Refused', unit: 'reqps', about: 'Bad credentials, missing scopes, too many writes.', lines: [['{{reason}}', rate('fluxora_access_denied_total', 'reason')], ['limit: {{reason}}', rate('fluxora_rate_limited_total', 'reason')]] },
      { title: 'In flight, connections', unit: 'none', lines: [['{{instance}} in flight', each('fluxora_http_requests_in_flight')], ['{{instance}} connections', each('fluxora_connections')]] },
    ],
  },
  {
    title: 'Indexer',
    panels: [
      { title: 'State', unit: 'none', about: '1 for the state that an instance is in.', lines: [['{{instance}} {{state}}', `${each('fluxora_indexer_state')} == 1`]] },
      { title: 'Since the last sync', unit: 's', lines: [['{{instance}}', each('fluxora_indexer_lag_seconds')]] },
      { title: 'Ledgers behind the chain', unit: 'none', lines: [['behind', `${any('fluxora_indexer_chain_latest_ledger')} - ${any('fluxora_indexer_last_ledger')}`]] },
      { title: 'Ledgers indexed', unit: 'ops', lines: [['a second', `sum(deriv(fluxora_indexer_last_ledger{${JOB}}[5m]) and fluxora_indexer_leads{${JOB}} == 1)`]] },
      { title: 'Reorganisations, trouble', unit: 'ops', lines: [['reorgs', rate('fluxora_indexer_reorgs_total')], ['failures', rate('fluxora_indexer_failures_total')], ['audit: {{difference}}', rate('fluxora_audit_differences_total', 'difference')]] },
      { title: 'Calls of the RPC', unit: 'reqps', lines: [['calls', rate('fluxora_rpc_calls_total')], ['errors', rate('fluxora_rpc_errors_total')]] },
      { title: 'Left of the RPC\'s window', unit: 'none', about: 'Ledgers that it may lose before it loses one that isn\'t indexed.', lines: [['ledgers', `min(fluxora_indexer_retention_ledgers{${JOB}})`]] },
      { title: 'Events sent to us', unit: 'ops', about: 'Where nobody follows the chain: POST /internal/indexer/contract-events.', lines: [['{{outcome}}', rate('fluxora_intake_events_total', 'outcome')], ['refused: {{reason}}', rate('fluxora_intake_refused_batches_total', 'reason')]] },
    ],
  },
  {
    title: 'Log',
    panels: [
      { title: 'Head', unit: 'none', lines: [['seq', any('fluxora_log_tail_seq')]] },
      { title: 'Entries', unit: 'ops', lines: [['a second', `max(rate(fluxora_log_entries_published_total{${JOB}}[$__rate_interval]))`]] },
      { title: 'Since the log was read', unit: 's', lines: [['{{instance}}', each('fluxora_log_tail_age_seconds')]] },
      { title: 'Kept entries', unit: 'none', about: 'From the oldest that wasn\'t pruned to the head.', lines: [['entries', `${any('fluxora_log_tail_seq')} - ${any('fluxora_log_oldest_seq')} + 1`]] },
      { title: 'Size on disk', unit: 'bytes', lines: [['log', any('fluxora_log_bytes')]] },
      { title: 'Replay or rebuild', unit: 'percentunit', lines: [['{{instance}}', `${each('fluxora_job_done')} / (${each('fluxora_job_goal')} > 0)`]] },
    ],
  },
  {
    title: 'Feeds',
    panels: [
      { title: 'Connections', unit: 'none', lines: [['{{instance}} WebSocket', each('fluxora_websocket_connections')], ['{{instance}} SSE', each('fluxora_sse_connections')]] },
      { title: 'Messages sent', unit: 'ops', lines: [['WebSocket', rate('fluxora_websocket_messages_sent_total')], ['SSE', rate('fluxora_sse_messages_sent_total')]] },
      { title: 'Waits to be sent', unit: 'bytes', lines: [['{{instance}}', `${each('fluxora_websocket_queued_bytes')} + ${each('fluxora_sse_queued_bytes')}`]] },
      { title: 'Slow consumers, holds', unit: 'ops', lines: [['WebSocket ended', rate('fluxora_websocket_slow_consumers_total')], ['SSE ended', rate('fluxora_sse_slow_consumers_total')], ['held', rate('fluxora_feed_holds_total')]] },
      { title: 'Subscriptions', unit: 'none', lines: [['{{instance}}', each('fluxora_feed_subscriptions')], ['{{instance}} replaying', each('fluxora_feed_replays_running')]] },
      { title: 'Feeds refused with 429', unit: 'reqps', lines: [['{{route}}', rate('fluxora_http_requests_total', 'route', 'route=~"/ws/streams|/api/events/stream", status="429"')]] },
    ],
  },
  {
    title: 'Webhooks',
    panels: [
      { title: 'Attempts', unit: 'ops', lines: [['{{outcome}}', rate('fluxora_webhook_attempts_total', 'outcome')]] },
      { title: 'Answers', unit: 'ops', lines: [['{{answer}}', rate('fluxora_webhook_answers_total', 'answer')]] },
      { title: 'Duration of an attempt', unit: 's', lines: [0.5, 0.99].map((share) => [`p${share * 100}`, quantile(share, 'fluxora_webhook_attempt_duration_seconds')]) },
      { title: 'Deliveries', unit: 'none', lines: [['waiting', any('fluxora_webhook_deliveries', 'state="waiting"')], ['dead', any('fluxora_webhook_deliveries', 'state="dead"')]] },
      { title: 'The oldest waits for', unit: 's', lines: [['oldest', any('fluxora_webhook_oldest_waiting_seconds')]] },
      { title: 'Endpoints', unit: 'none', lines: [['enabled', any('fluxora_webhook_endpoints', 'state="enabled"')], ['disabled', any('fluxora_webhook_endpoints', 'state="disabled"')], ['left alone', `sum(fluxora_webhook_circuits_open{${JOB}})`]] },
    ],
  },
  {
    title: 'Database',
    panels: [
      { title: 'Readers', unit: 'none', lines: [['{{instance}} busy', each('fluxora_db_connections_busy')], ['{{instance}} connections', each('fluxora_db_connections')]] },
      { title: 'Reads that wait', unit: 'none', lines: [['{{instance}}', each('fluxora_db_reads_waiting')]] },
      { title: 'Reads', unit: 'ops', lines: [['queries', rate('fluxora_db_queries_total')], ['answered by another\'s', rate('fluxora_db_reads_gathered_total')], ['refused', rate('fluxora_db_reads_refused_total')]] },
      { title: 'Replica', unit: 'ops', about: 'Reads that went to it, and those that it couldn\'t answer.', lines: [['replica', rate('fluxora_db_replica_queries_total')], ['back to the primary', rate('fluxora_db_replica_fallbacks_total')]] },
    ],
  },
  {
    title: 'Redis and traces',
    panels: [
      { title: 'Redis', unit: 'none', lines: [['{{instance}} up', each('fluxora_redis_up')], ['{{instance}} publishes', each('fluxora_live_bus_publishes')]] },
      { title: 'Commands', unit: 'ops', lines: [['answered', rate('fluxora_redis_commands_total')], ['failed', rate('fluxora_redis_command_failures_total')]] },
      { title: 'Reads of the log\'s end', unit: 'ops', lines: [['{{source}}', rate('fluxora_log_tail_reads_total', 'source')]] },
      { title: 'Spans', unit: 'ops', lines: [['exported', rate('fluxora_trace_spans_exported_total')], ['lost: {{reason}}', rate('fluxora_trace_spans_lost_total', 'reason')]] },
    ],
  },
  {
    title: 'Process',
    panels: [
      { title: 'Processor', unit: 'percentunit', about: '100 %: one core.', lines: [['{{instance}}', rate('process_cpu_seconds_total', 'instance')]] },
      { title: 'Memory', unit: 'bytes', lines: [['{{instance}}', each('process_resident_memory_bytes')]] },
      { title: 'File descriptors', unit: 'percentunit', lines: [['{{instance}}', `${each('process_open_fds')} / ${each('process_max_fds')}`]] },
      { title: 'Runs for', unit: 's', lines: [['{{instance}} {{version}}', `(time() - ${each('process_start_time_seconds')}) * on (instance) group_left (version) ${each('fluxora_build_info')}`]] },
    ],
  },
];

const COLUMNS = 24;
const DATASOURCE = { type: 'prometheus', uid: '${datasource}' };

/** @param {Panel} panel @param {number} id @param {object} gridPos */
function panelJson({ title, unit, lines, about, stat }, id, gridPos) {
  return {
    id,
    type: stat ? 'stat' : 'timeseries',
    title,
    ...(about && { description: about }),
    datasource: DATASOURCE,
    gridPos,
    fieldConfig: { defaults: { unit, ...(!stat && { min: 0, custom: { showPoints: 'never', fillOpacity: 5 } }) }, overrides: [] },
    options: stat
      ? { reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false }, colorMode: 'none' }
      : { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi', sort: 'desc' } },
    targets: lines.map(([legendFormat, expr], i) => ({ refId: String.fromCharCode(65 + i), datasource: DATASOURCE, expr, legendFormat })),
  };
}

/** A variable that is a list of a label's values. @param {string} name @param {string} query @param {object} more */
const labelVariable = (name, query, more) => ({
  name, type: 'query', datasource: DATASOURCE, query: { query, refId: name }, definition: query, refresh: 2, sort: 1, ...more,
});

export function dashboard() {
  const panels = [];
  let y = 0;
  for (const { title, panels: ofRow } of ROWS) {
    panels.push({ id: panels.length + 1, type: 'row', title, collapsed: false, gridPos: { x: 0, y, w: COLUMNS, h: 1 }, panels: [] });
    y += 1;
    const h = ofRow[0]?.stat ? 4 : 7;
    const aLine = ofRow[0]?.stat ? 6 : 4;
    const w = COLUMNS / aLine;
    ofRow.forEach((panel, i) => {
      const gridPos = { x: (i % aLine) * w, y: y + Math.floor(i / aLine) * h, w, h };
      panels.push(panelJson(panel, panels.length + 1, gridPos));
    });
    y += Math.ceil(ofRow.length / aLine) * h;
  }
  return {
    uid: 'fluxora',
    title: 'Fluxora',
    tags: ['fluxora'],
    schemaVersion: 39,
    version: 1,
    editable: false,
    graphTooltip: 1,
    time: { from: 'now-3h', to: 'now' },
    refresh: '30s',
    timezone: '',
    annotations: {
      list: [
        { name: 'Alerts', datasource: DATASOURCE, enable: true, iconColor: 'red', expr: 'ALERTS{alertname=~"Fluxora.*", alertstate="firing"}', titleFormat: '{{alertname}}', textFormat: '{{instance}}' },
      ],
    },
    templating: {
      list: [
        { name: 'datasource', type: 'datasource', query: 'prometheus', label: 'Data source' },
        labelVariable('job', 'label_values(fluxora_build_info, job)', { label: 'Job' }),
        labelVariable('instance', 'label_values(fluxora_build_info{job="$job"}, instance)', { label: 'Instance', includeAll: true, multi: true, allValue: '.*', current: { text: 'All', value: '$__all' } }),
      ],
    },
    links: [],
    panels,
  };
}

/** The file's text: a panel a line. */
export function dashboardText() {
  const { panels, ...head } = dashboard();
  const lines = panels.map((panel) => `  ${JSON.stringify(panel)}`);
  return `${JSON.stringify(head, null, 1).slice(0, -2)},\n "panels": [\n${lines.join(',\n')}\n ]\n}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(new URL('dashboards/fluxora.json', import.meta.url), dashboardText());
}
