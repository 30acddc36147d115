// Streams that are open: who has them, how fast they are, and who waits for
// whom.

const EVERY = 2000;

// A stream's life, one thing at a time; the fields of StreamStatus.
const STATES = [
  { field: 'wait_client', side: 'client', text: 'has granted no credit' },
  { field: 'wait_network', side: 'network', text: 'a write is in flight' },
  { field: 'wait_opening', side: 'server', text: 'opening' },
  { field: 'wait_memory', side: 'server', text: 'no memory' },
  { field: 'wait_queue', side: 'server', text: 'workers are at others' },
  { field: 'wait_store', side: 'server', text: 'disk' },
  { field: 'wait_decode', side: 'server', text: 'decoding' },
  { field: 'wait_draw', side: 'server', text: 'drawing' },
  { field: 'wait_pack', side: 'server', text: 'packing' },
];
const SIDES = ['client', 'network', 'server'];

// Drawings a second since the last look, by stream.
let before = new Map();

function rateOf(stream, now) {
  const last = before.get(stream.id);
  const life = Number(stream.drawings) / Math.max(stream.seconds, 0.001);
  if (last === undefined || now - last.now < 0.5) return life;
  return (Number(stream.drawings) - last.drawings) / (now - last.now);
}

const percent = (share) => `${Math.round(100 * share)} %`;

function waits(stream) {
  const total = Math.max(STATES.reduce((sum, { field }) => sum + stream[field], 0), 1e-9);
  const parts = STATES.map((state) => ({ ...state, share: stream[state.field] / total }));
  const sides = SIDES.map((side) => ({
    side, share: parts.filter((part) => part.side === side).reduce((sum, part) => sum + part.share, 0),
  }));
  const texts = sides.map(({ side, share }) => `${side} ${percent(share)}`);
  const server = parts.filter((part) => part.side === 'server' && part.share >= 0.005)
    .map((part) => `${part.text} ${percent(part.share)}`);
  const bar = el('div', { class: 'waits', role: 'img', 'aria-label': `It waited for: ${texts.join(', ')}` },
    ...parts.map((part) => {
      const piece = el('span', { class: part.field, title: `${part.side}: ${part.text}, ${percent(part.share)}` });
      piece.style.setProperty('--share', part.share);
      return piece;
    }));
  return [bar, el('p', { class: 'sides' },
    ...sides.map(({ side, share }) => el('span', { class: side }, `${side} ${percent(share)}`)),
    server.length === 0 ? null : el('small', { text: `server: ${server.join(', ')}` }))];
}

function streamCard(stream, now) {
  const facts = [
    `${count(Math.round(rateOf(stream, now)))} drawings/s`,
    many(stream.drawings, 'drawing'),
    `epoch ${stream.epoch}, position ${count(stream.position)}`,
    `open for ${duration(stream.seconds)}`,
  ];
  return el('article', { class: 'card stream' },
    el('h2', {}, el('span', { text: stream.dataset || 'opening' }), ' ',
      el('small', { text: `rank ${stream.rank} of ${stream.world} · ${stream.peer}` })),
    el('p', { text: facts.join(' · ') }),
    ...waits(stream),
    el('p', { text: stream.bottleneck }),
    stream.warning === '' ? null : el('p', { class: 'problem', text: stream.warning }),
    el('p', { class: 'quiet plan', text: stream.plan }));
}

function serverLine(status) {
  const used = Number(status.memory_used_bytes);
  const budget = Number(status.memory_budget_bytes);
  const facts = [
    `Inkstream ${status.server_version}`, `up ${duration(status.uptime_seconds)}`, many(status.workers, 'worker'),
    `${count(status.drawings_sent)} drawings sent`, `${bytes(used)} of ${bytes(budget)} for batches in use`,
  ];
  return el('p', {}, facts.join(' · '),
    status.draining ? el('strong', { class: 'problem', text: ' The server is leaving: streams go elsewhere.' }) : '');
}

function nobody() {
  return el('div', { class: 'card' }, el('p', { text: 'No stream is open. A trainer opens one with:' }),
    copyable('data.stream("train", batch_size=256, image=inkstream.Image(64))', 'the line for a stream').node);
}

// Comes back once there is something to see, and goes on looking.
async function showStreams(view, still) {
  const list = el('div', { class: 'streams' });
  view.replaceChildren(el('h1', { text: 'Streams' }), list);
  document.title = 'Streams · Inkstream';
  before = new Map();

  async function look() {
    const status = await api.status();
    const now = performance.now() / 1000;
    const streams = status.streams ?? [];
    list.replaceChildren(serverLine(status),
      ...streams.map((stream) => streamCard(stream, now)), streams.length === 0 ? nobody() : '');
    before = new Map(streams.map((one) => [one.id, { now, drawings: Number(one.drawings) }]));
  }

  async function again() {
    if (!still()) return;
    try {
      if (!document.hidden) {
        await look();
        if (still()) notice('');
      }
    } catch (error) {
      if (still()) notice(error.message);
    }
    setTimeout(again, EVERY);
  }

  await look();
  setTimeout(again, EVERY);
}
