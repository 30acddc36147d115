// What this server is asked. Requests are the messages of the contract.

let token = '';

class Refused extends Error {
  constructor(code, reason, message) {
    super(message);
    this.code = code;
    this.reason = reason;
  }
}

function askForToken(why) {
  const dialog = byId('ask-token');
  byId('token-why').textContent = why;
  byId('token').value = '';
  if (!dialog.open) dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => {
      token = byId('token').value.trim();
      resolve(token !== '');
    }, { once: true });
  });
}

async function refusalOf(response) {
  const text = await response.text();
  try {
    const { code, reason, message } = JSON.parse(text);
    return new Refused(code, reason, message);
  } catch {
    return new Refused(String(response.status), '', text.trim() || response.statusText);
  }
}

async function get(path, request, signal) {
  const url = request === undefined ? path : `${path}?request=${encodeURIComponent(JSON.stringify(request))}`;
  for (let busy = 0; ;) {
    const headers = token === '' ? {} : { Authorization: `Bearer ${token}` };
    const response = await fetch(url, { headers, signal, credentials: 'omit' });
    if (response.ok) return response;
    const refused = await refusalOf(response);
    if (response.status === 401 && await askForToken(refused.message)) continue;
    // It says itself that it has too much to do just now.
    if (response.status === 503 && response.headers.has('Retry-After') && refused.reason === '' && ++busy < 4) {
      await new Promise((resolve) => { setTimeout(resolve, 1000 * busy); });
      continue;
    }
    throw refused;
  }
}

const ask = async (path, request, signal) => (await get(path, request, signal)).json();

const api = {
  datasets: () => ask('/api/datasets'),
  dataset: (request) => ask('/api/dataset', request),
  drawings: (request) => ask('/api/drawings', request),
  drawing: (request) => ask('/api/drawing', request),
  status: () => ask('/api/status'),
  pixels: async (request, signal) => new Uint8Array(
    await (await get('/api/pixels', request, signal)).arrayBuffer()),
};
