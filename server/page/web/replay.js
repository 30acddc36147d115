// A drawing that draws itself, stroke by stroke: in its own times where it has
// some, else at an even pace.

// Units of the canvas a second, and the pause between two strokes, in seconds.
const PACE = 180;
const LIFT = 0.25;
// Nobody watches somebody think for a minute.
const LONGEST = 60;

// When each point is reached, in seconds: one array a stroke.
function timesOf(strokes, own) {
  if (own) return strokes.map(({ t }) => t.map((millis) => millis / 1000));
  let now = 0;
  return strokes.map(({ x, y }) => {
    const times = x.map((_, i) => {
      if (i > 0) now += Math.hypot(x[i] - x[i - 1], y[i] - y[i - 1]) / PACE;
      return now;
    });
    now += LIFT;
    return times;
  });
}

// As far as it has come by `now`; null: not begun.
function partOf({ x, y }, times, now) {
  let points = 0;
  while (points < times.length && times[points] <= now) ++points;
  if (points === 0) return null;
  const part = { x: x.slice(0, points), y: y.slice(0, points) };
  if (points < x.length) {
    const gone = (now - times[points - 1]) / (times[points] - times[points - 1]);
    part.x.push(x[points - 1] + (x[points] - x[points - 1]) * gone);
    part.y.push(y[points - 1] + (y[points] - y[points - 1]) * gone);
  }
  return part;
}

function replayer(strokes) {
  const has = strokes.length > 0 && strokes.every(({ t }) => t !== undefined);
  const picture = sketch(strokes, 1 / 60);
  const paths = [...picture.children];
  // What it is going to be.
  picture.prepend(svg('g', { class: 'ghost' }, ...strokes.map((stroke) => svg('path', { d: pathOf(stroke) }))));
  const replay = { own: has, playing: false, now: 0, speed: 1, times: [], end: 0 };

  const slider = el('input', {
    type: 'range', min: 0, max: 1000, value: 1000, 'aria-label': 'Place in the drawing',
    oninput() { pause(); show(slider.valueAsNumber / 1000 * replay.end); },
  });
  const where = el('output', { class: 'where' });
  const button = el('button', { type: 'button', class: 'play', onclick: toggle });
  const speed = el('select', {
    'aria-label': 'Speed', onchange() { replay.speed = Number(speed.value); },
  }, ...[0.25, 0.5, 1, 2, 4, 8].map((value) => el('option', { value, text: `${value}×`, selected: value === 1 })));
  const own = el('input', {
    type: 'checkbox', checked: has, disabled: !has,
    onchange() { retime(); show(replay.end); },
  });

  function retime() {
    replay.own = own.checked && has;
    replay.times = timesOf(strokes, replay.own);
    replay.end = Math.max(0.01, ...replay.times.map((times) => times.at(-1) ?? 0));
  }

  function show(now) {
    replay.now = Math.min(now, replay.end);
    let begun = 0;
    paths.forEach((path, i) => {
      const part = partOf(strokes[i], replay.times[i], replay.now);
      if (part !== null) ++begun;
      path.setAttribute('d', part === null ? '' : pathOf(part));
      const last = replay.times[i].at(-1);
      path.classList.toggle('drawing', replay.now < replay.end && part !== null && replay.now <= last);
    });
    slider.value = 1000 * replay.now / replay.end;
    const seconds = `${replay.now.toFixed(1)} of ${replay.end.toFixed(1)} s`;
    where.textContent = `stroke ${begun} of ${strokes.length}${replay.own ? ` · ${seconds}` : ''}`;
  }

  function pause() {
    replay.playing = false;
    button.textContent = '▶ Play';
  }

  function play() {
    replay.playing = true;
    button.textContent = '❚❚ Pause';
    if (replay.now >= replay.end) show(0);
    let before = performance.now();
    const hurry = Math.max(1, replay.end / LONGEST);
    const frame = (at) => {
      if (!replay.playing || !picture.isConnected) return;
      show(replay.now + Math.max(0, at - before) / 1000 * replay.speed * hurry);
      before = at;
      if (replay.now >= replay.end) pause();
      else requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  }

  function toggle() {
    if (replay.playing) pause();
    else play();
  }

  retime();
  pause();
  show(replay.end);
  const node = el('figure', { class: 'replay' },
    el('div', { class: 'paper' }, picture),
    el('figcaption', {}, button, slider, where, speed,
      el('label', { title: has ? null : 'this drawing was kept without times' }, own, ' in its own time')));
  return { node, toggle };
}
