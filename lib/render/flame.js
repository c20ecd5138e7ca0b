/* Flame graphs: search, zoom, keyboard, details. Names are only ever put into text nodes. */
(function () {
'use strict';
const SVG = 'http://www.w3.org/2000/svg', HTML = 'http://www.w3.org/1999/xhtml';
const ROW = 17, FONT = '11px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace';
const MODES = { difference: 'difference', kind: 'what it did', owner: 'owner', type: 'user or kernel' };
const MIN = 1 / 3; /* pixels below which a box is not drawn */

function make(ns, name, attrs, text) {
	const e = document.createElementNS(ns, name);
	for (const k in attrs)
		e.setAttribute(k, attrs[k]);
	if (text !== undefined)
		e.textContent = text;
	return e;
}

/* As sf_markup_ms() and its like in C do, so that pages and reports show equal numbers. */
function amount(v, unit) {
	const a = Math.abs(v);
	if (unit !== 'ms')
		return String(+v.toFixed(3));
	if (a < 0.0005)
		return '0';
	return v.toFixed(a >= 99.95 ? 0 : a >= 0.995 ? 1 : a >= 0.0995 ? 2 : 3);
}

function signed(v, unit) {
	const t = amount(v, unit);
	return v > 0 && t !== '0' ? '+' + t : t;
}

function percent(part, whole) {
	return whole ? (100 * part / whole).toFixed(1) + ' %' : '–';
}

/* The tree: depth first, arrays by node. */
class Model {
	constructor(data) {
		const n = data.depth.length, open = [];
		this.data = data;
		this.n = n;
		this.parent = new Int32Array(n).fill(-1);
		this.end = new Int32Array(n);
		this.total = [Float64Array.from(data.before.length ? data.before : new Array(n).fill(0)),
			Float64Array.from(data.after)];
		this.width = new Float64Array(n);
		this.x = new Float64Array(n);
		this.maxDepth = 0;
		for (let i = 0; i < n; i++) {
			const d = data.depth[i];
			while (open.length > d)
				this.end[open.pop()] = i;
			if (d)
				this.parent[i] = open[d - 1];
			open.push(i);
			this.maxDepth = Math.max(this.maxDepth, d);
		}
		while (open.length)
			this.end[open.pop()] = n;
		this.layout();
	}
	layout() {
		const used = new Float64Array(this.n), [before, after] = this.total;
		for (let i = this.n - 1; i > 0; i--) {
			before[this.parent[i]] += before[i];
			after[this.parent[i]] += after[i];
		}
		for (let i = this.n - 1; i >= 0; i--) {
			const own = Math.max(before[i], after[i]);
			this.width[i] = used[i] > own * (1 + 1e-9) ? used[i] : own;
			if (i)
				used[this.parent[i]] += this.width[i];
		}
		used.fill(0);
		for (let i = 1; i < this.n; i++) {
			const p = this.parent[i];
			this.x[i] = this.x[p] + used[p];
			used[p] += this.width[i];
		}
	}
	name(i) { return this.data.labels[this.data.label[i]]; }
	digit(column, i) { return column ? column.charCodeAt(i) - 48 : 0; }
	delta(i) { return this.total[1][i] - this.total[0][i]; }
	/* Classes of a box in a mode of colours: the one that fills it, and its outline. */
	fill(mode, i) {
		const d = this.data;
		if (mode === 'owner')
			return 'o' + this.digit(d.owner, i);
		if (mode === 'kind')
			return 'k' + this.digit(d.group, i);
		if (mode === 'type')
			return 't' + this.digit(d.flags, i);
		const r = d.scale > 0 ? Math.abs(this.delta(i)) / d.scale : 0;
		const step = r < 0.01 ? 0 : r < 0.1 ? 1 : r < 0.3 ? 2 : r < 0.6 ? 3 : 4;
		if (this.digit(d.sign, i) === 2)
			return 'd5';
		return 'd' + (this.delta(i) < 0 && step ? -step : step);
	}
	outline(i) {
		if (!this.data.differential || !i)
			return '';
		if (!(this.total[0][i] > 0) && this.total[1][i] > 0)
			return 'new';
		return this.total[0][i] > 0 && !(this.total[1][i] > 0) ? 'gone' : '';
	}
	describe(i) {
		const d = this.data, u = d.unit, [before, after] = this.total;
		const flags = ['', 'kernel', 'inlined', '', 'JIT', '', '', '', 'of another stack'];
		const kind = flags[this.digit(d.flags, i)];
		let line = '', path = [];
		if (d.differential) {
			line = amount(before[i], u) + ' → ' + amount(after[i], u) + ' ' + u + ', ' +
				signed(this.delta(i), u) + ' ' + u + ', ' +
				percent(this.delta(i), this.delta(0)) + ' of the difference';
			if (d.lo && d.lo[i] !== null)
				line += '; 95 % interval ' + signed(d.lo[i], u) + ' to ' + signed(d.hi[i], u) +
					' ' + u + (this.digit(d.sign, i) === 2 ? ', not significant' : '');
			const outline = this.outline(i);
			if (outline)
				line += outline === 'new' ? '; new' : '; vanished';
			if (this.width[i] > 1.001 * Math.max(before[i], after[i]))
				line += '; part of it moved from one callee to another';
		} else {
			line = amount(after[i], u) + ' ' + u + ', ' + percent(after[i], after[0]);
		}
		if (d.seen)
			line += '; in ' + d.seen.map((s, k) =>
				s[i] + ' of ' + d.n[d.n.length - d.seen.length + k] +
				(d.seen.length > 1 ? [' fast', ' slow'][k] : '')).join(' and ') + ' windows';
		for (let k = this.parent[i]; k > 0; k = this.parent[k])
			path.push(this.name(k));
		return this.name(i) + (kind ? '  [' + kind + ']' : '') + '\n' + line + '\n' +
			(path.length ? 'under ' + path.join(' < ') : '');
	}
	/* Boxes that are seen with the root zoomed to be width pixels wide: call(i, x, w, above). */
	visit(root, width, call) {
		const scale = this.width[root] > 0 ? width / this.width[root] : 0, chain = [];
		for (let k = this.parent[root]; k >= 0; k = this.parent[k])
			chain.unshift(k);
		for (const k of chain)
			call(k, 0, width, true);
		for (let i = root; i < this.end[root];) {
			const w = this.width[i] * scale;
			if (w < MIN && i !== root) {
				i = this.end[i];
				continue;
			}
			call(i, (this.x[i] - this.x[root]) * scale, w, false);
			i++;
		}
	}
}

function clip(text, pixels, advance) {
	const room = Math.floor((pixels - 4) / advance);
	if (room < 3)
		return '';
	return text.length <= room ? text : text.slice(0, room - 1) + '…';
}

/* Draws boxes as elements of an SVG. */
class Elements {
	constructor(group) {
		this.group = group;
		this.advance = 6.65;
	}
	begin() { this.made = document.createDocumentFragment(); }
	box(i, x, y, w, cls, text) {
		const g = make(SVG, 'g', { 'class': cls, 'data-i': i });
		g.append(make(SVG, 'rect', { x: x.toFixed(2), y, height: ROW - 1,
			width: Math.max(w - (w > 2 ? 0.6 : 0), MIN).toFixed(2) }));
		if (text)
			g.append(make(SVG, 'text', { x: (x + 2).toFixed(2), y: y + 12 }, text));
		this.made.append(g);
	}
	end() { this.group.replaceChildren(this.made); }
	at(event) {
		const g = event.target.closest && event.target.closest('[data-i]');
		return g ? +g.getAttribute('data-i') : -1;
	}
}

/* Draws them on a canvas, as many rows as the window has. */
class Canvas {
	constructor(canvas) {
		this.canvas = canvas;
		this.context = canvas.getContext('2d');
		this.colors = {};
		this.probe = canvas.parentNode.appendChild(make(HTML, 'i', { hidden: '' }));
	}
	color(cls) {
		if (!this.colors[cls]) {
			this.probe.setAttribute('class', cls);
			this.colors[cls] = getComputedStyle(this.probe).fill;
		}
		return this.colors[cls];
	}
	begin(width, height, top, rows) {
		const ratio = window.devicePixelRatio || 1, c = this.context;
		this.canvas.width = Math.round(width * ratio);
		this.canvas.height = Math.round(height * ratio);
		this.canvas.style.width = width + 'px';
		this.canvas.style.height = height + 'px';
		c.setTransform(ratio, 0, 0, ratio, 0, 0);
		c.font = FONT;
		this.advance = c.measureText('m').width;
		this.top = top;
		this.height = height;
		this.rows = [];
	}
	box(i, x, y, w, cls, text) {
		const c = this.context, at = y - this.top, words = cls.split(' ');
		if (at < -ROW || at > this.height)
			return;
		(this.rows[y] = this.rows[y] || []).push([x, w, i]);
		c.globalAlpha = words.includes('up') ? 0.55 : 1;
		c.fillStyle = words.includes('hit') ? '#e0208a' : this.color(words[0]);
		c.fillRect(x, at, Math.max(w - (w > 2 ? 0.6 : 0), MIN), ROW - 1);
		const [on, only, gone] = this.color('bg') === 'rgb(255, 255, 255)' ?
			['#000', '#7d0025', '#20407f'] : ['#fff', '#ff9d8a', '#a9c9ff']; /* as flame.css has them */
		const outline = words.includes('on') ? on : words.includes('new') ? only :
			words.includes('gone') ? gone : '';
		if (words[0] === 'd0' && !outline && w > 2) {
			c.strokeStyle = '#c8c8c0';
			c.setLineDash([]);
			c.strokeRect(x + 0.5, at + 0.5, w - 1.6, ROW - 2);
		}
		if (outline && w > 2) {
			c.strokeStyle = outline;
			c.setLineDash(words.includes('gone') ? [3, 2] : []);
			c.strokeRect(x + 0.5, at + 0.5, w - 1.6, ROW - 2);
		}
		if (text) {
			c.fillStyle = words.includes('hit') ? '#fff' : '#111';
			c.fillText(text, x + 2, at + 12);
		}
	}
	end() {}
	at(event) {
		const r = this.canvas.getBoundingClientRect();
		const x = event.clientX - r.left, y = event.clientY - r.top + this.top;
		const row = this.rows[Math.floor(y / ROW) * ROW] || [];
		let lo = 0, hi = row.length;
		while (lo < hi) {
			const mid = (lo + hi) >> 1;
			if (row[mid][0] + Math.max(row[mid][1], 1) <= x)
				lo = mid + 1;
			else
				hi = mid;
		}
		return lo < row.length && row[lo][0] <= x ? row[lo][2] : -1;
	}
}

class View {
	constructor(model, surface, parts) {
		Object.assign(this, parts, { model, surface });
		this.root = 0;
		this.selected = -1;
		this.match = null;
		this.icicle = !!model.data.icicle;
		this.modes = Object.keys(model.data.legend).map(m => [m, 'colour: ' + MODES[m]]);
		this.mode = this.modes[0][0];
		this.build();
		this.listen();
	}
	build() {
		const bar = make(HTML, 'div');
		this.search = make(HTML, 'input', { type: 'search', placeholder: 'search (regular expression)',
			'aria-label': 'search', spellcheck: 'false' });
		this.color = make(HTML, 'select', { 'aria-label': 'colours' });
		for (const [value, text] of this.modes)
			this.color.append(make(HTML, 'option', { value }, text));
		this.color.value = this.mode;
		this.flip = make(HTML, 'button', { type: 'button', title: 'i' }, 'flip');
		this.reset = make(HTML, 'button', { type: 'button', title: 'Escape' }, 'reset zoom');
		this.found = make(HTML, 'output', { 'aria-live': 'polite' });
		this.details = make(HTML, 'pre', { 'aria-live': 'polite' });
		bar.append(this.search, this.color, this.flip, this.reset, this.found);
		this.ui.replaceChildren(bar, this.details);
		this.hint();
	}
	hint() {
		this.details.textContent = 'click or Enter: zoom   Escape: back   arrows: move   /: search   ' +
			'i: flip   c: colours';
	}
	listen() {
		const t = this.target;
		this.search.addEventListener('input', () => this.find(this.search.value));
		this.color.addEventListener('change', () => { this.mode = this.color.value; this.draw(); });
		this.flip.addEventListener('click', () => { this.icicle = !this.icicle; this.draw(); });
		this.reset.addEventListener('click', () => this.zoom(0));
		t.addEventListener('mousemove', e => this.show(this.surface.at(e)));
		t.addEventListener('click', e => {
			const i = this.surface.at(e);
			if (i >= 0)
				this.zoom(i);
		});
		this.keys.addEventListener('keydown', e => this.key(e));
	}
	show(i) {
		if (i >= 0)
			this.details.textContent = this.model.describe(i);
		else if (this.selected >= 0)
			this.details.textContent = this.model.describe(this.selected);
	}
	zoom(i) {
		this.root = i;
		this.selected = i;
		this.show(i);
		this.draw();
	}
	find(text) {
		const m = this.model;
		let re;
		try {
			re = new RegExp(text, 'i');
		} catch (e) {
			re = new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'), 'i');
		}
		this.match = text ? m.data.labels.map(l => re.test(l)) : null;
		this.found.textContent = text ? this.sum() : '';
		this.draw();
	}
	/* Topmost matches only: what is under a match is part of it. */
	sum() {
		const m = this.model, u = m.data.unit;
		let before = 0, after = 0, boxes = 0;
		for (let i = 1; i < m.n;) {
			if (!this.match[m.data.label[i]]) {
				i++;
				continue;
			}
			before += m.total[0][i];
			after += m.total[1][i];
			boxes++;
			i = m.end[i];
		}
		if (!boxes)
			return 'not found';
		return (m.data.differential ? amount(before, u) + ' → ' + amount(after, u) + ' ' + u + ', ' +
			signed(after - before, u) + ' ' + u :
			amount(after, u) + ' ' + u + ', ' + percent(after, m.total[1][0])) +
			' in ' + boxes + (boxes === 1 ? ' box' : ' boxes');
	}
	/* Top of a row in the drawing. */
	y(depth) {
		return (this.icicle ? depth : this.model.maxDepth - depth) * ROW;
	}
	draw() {
		const m = this.model, width = this.width();
		this.begin(width, (m.maxDepth + 1) * ROW);
		m.visit(this.root, width, (i, x, w, above) => {
			let cls = m.fill(this.mode, i), o = m.outline(i);
			if (o && w >= 3)
				cls += ' ' + o;
			if (this.match && i && this.match[m.data.label[i]])
				cls += ' hit';
			if (above)
				cls += ' up';
			if (i === this.selected)
				cls += ' on';
			this.surface.box(i, x, this.y(m.data.depth[i]), w, cls,
				w > 24 ? clip(m.name(i), w, this.surface.advance || 6.65) : '');
		});
		this.surface.end();
		if (this.legend)
			this.legend(this.mode);
	}
	key(e) {
		const m = this.model, step = this.icicle ? 1 : -1;
		if (e.target === this.search && e.key !== 'Escape' && e.key !== 'Enter')
			return;
		if (e.ctrlKey || e.metaKey || e.altKey)
			return;
		let s = this.selected < 0 ? this.root : this.selected;
		switch (e.key) {
		case '/': this.search.focus(); break;
		case 'i': this.flip.click(); break;
		case 'c': {
			const k = this.modes.findIndex(x => x[0] === this.mode);
			this.mode = this.color.value = this.modes[(k + 1) % this.modes.length][0];
			this.draw();
			break;
		}
		case 'Escape':
			if (this.search.value) {
				this.search.value = '';
				this.find('');
			} else {
				this.zoom(0);
			}
			this.keys.focus();
			break;
		case 'Enter':
			if (e.target === this.search) {
				const k = this.first();
				if (k < 0)
					break;
				s = k;
				this.keys.focus();
			} else if (e.target === this.reset || e.target === this.flip) {
				return;
			}
			this.zoom(s);
			break;
		case 'Backspace': this.zoom(Math.max(m.parent[this.root], 0)); break;
		case 'ArrowUp': case 'ArrowDown':
			if (e.target === this.color)
				return;
			s = (e.key === 'ArrowDown' ? step : -step) > 0 ? this.widest(s) : Math.max(m.parent[s], 0);
			this.select(s);
			break;
		case 'ArrowLeft': case 'ArrowRight':
			this.select(this.sibling(s, e.key === 'ArrowRight'));
			break;
		default: return;
		}
		e.preventDefault();
	}
	first() {
		const m = this.model;
		let best = -1;
		for (let i = 1; this.match && i < m.n; i++)
			if (this.match[m.data.label[i]] && (best < 0 || m.width[i] > m.width[best]))
				best = i;
		return best;
	}
	widest(i) {
		const m = this.model;
		let best = i;
		for (let c = i + 1; c < m.end[i]; c = m.end[c])
			if (best === i || m.width[c] > m.width[best])
				best = c;
		return best;
	}
	sibling(i, right) {
		const m = this.model, p = m.parent[i];
		let last = i;
		for (let c = p + 1; p >= 0 && c < m.end[p]; c = m.end[c]) {
			if (right ? c > i : c === i)
				return right ? c : last;
			last = c;
		}
		return i;
	}
	select(i) {
		const m = this.model;
		if (i < this.root || i >= m.end[this.root])
			this.root = Math.max(m.parent[i], 0);
		this.selected = i;
		this.show(i);
		this.draw();
	}
}

function legendRow(group, pairs, width, y) {
	let x = 0;
	group.replaceChildren();
	for (const [cls, text] of pairs) {
		const shown = text.length > 28 ? text.slice(0, 27) + '…' : text;
		const w = 16 + shown.length * 6.6 + 12;
		if (x && x + w > width) {
			x = 0;
			y += 16;
		}
		const g = make(SVG, 'g', { 'class': cls });
		g.append(make(SVG, 'rect', { x, y, width: 12, height: 12 }),
			make(SVG, 'text', { x: x + 16, y: y + 10, 'class': 'ink' }, shown));
		group.append(g);
		x += w;
	}
	return y + 18;
}

function data(scope) {
	return new Model(JSON.parse(scope.querySelector('script[type="application/json"]').textContent));
}

/* An SVG: a file of its own, or in a page. */
function svg(root) {
	const alone = root === document.documentElement, model = data(root), PAD = 10;
	const boxes = root.querySelector('.boxes'), key = root.querySelector('.legend');
	const lists = root.querySelector('.lists'), bg = root.querySelector('.bg');
	const head = +root.getAttribute('data-head'), tail = +root.getAttribute('data-tail');
	const ui = make(HTML, 'div', { 'class': 'snapflame-ui' });
	const band = alone ? 96 : 0;
	let frame = null;
	if (alone) {
		frame = make(SVG, 'foreignObject', { x: PAD, y: head, height: band });
		frame.append(ui);
		root.append(frame);
		root.setAttribute('width', '100%');
	} else {
		root.parentNode.insertBefore(ui, root);
	}
	root.setAttribute('tabindex', '0');
	boxes.querySelectorAll('title').forEach(t => t.remove());
	const view = new View(model, new Elements(boxes), {
		ui, target: boxes, keys: root,
		width() { return Math.max(root.getBoundingClientRect().width - 2 * PAD, 200); },
		begin(width, height) {
			const chart = legendRow(key, model.data.legend[this.mode], width, 0);
			const top = head + band + chart + 4, all = top + height + tail;
			root.setAttribute('viewBox', '0 0 ' + (width + 2 * PAD) + ' ' + all);
			root.setAttribute('height', all);
			bg.setAttribute('width', width + 2 * PAD);
			bg.setAttribute('height', all);
			if (frame)
				frame.setAttribute('width', width);
			key.setAttribute('transform', 'translate(' + PAD + ' ' + (head + band) + ')');
			boxes.setAttribute('transform', 'translate(' + PAD + ' ' + top + ')');
			if (lists)
				lists.setAttribute('transform', 'translate(' + PAD + ' ' + (top + height) + ')');
			this.surface.begin();
		},
	});
	if (!alone)
		ui.addEventListener('keydown', e => view.key(e));
	return view;
}

function canvas(root) {
	const model = data(root), paper = root.querySelector('canvas'), key = root.querySelector('svg');
	const space = root.querySelector('.space');
	const view = new View(model, new Canvas(paper), {
		ui: root.querySelector('.snapflame-ui'), target: paper, keys: root,
		width() { return Math.max(space.clientWidth, 200); },
		begin(width, height) {
			const h = legendRow(key, model.data.legend[this.mode], width, 0);
			key.setAttribute('width', width);
			key.setAttribute('height', h);
			space.style.height = height + 'px';
			const shown = Math.min(height, window.innerHeight);
			const top = Math.min(Math.max(-space.getBoundingClientRect().top, 0), height - shown);
			paper.style.transform = 'translateY(' + top + 'px)';
			this.surface.begin(width, shown, top);
		},
	});
	let waiting = false;
	window.addEventListener('scroll', () => {
		if (waiting)
			return;
		waiting = true;
		requestAnimationFrame(() => { waiting = false; view.draw(); });
	});
	return view;
}

function start() {
	const views = [];
	for (const root of document.querySelectorAll('.snapflame')) {
		const view = root.namespaceURI === SVG ? svg(root) : canvas(root);
		const scope = root.parentNode.querySelector && root.parentNode.querySelector('.snapflame-lists');
		if (scope)
			scope.addEventListener('click', e => {
				const li = e.target.closest('[data-i]');
				if (li)
					view.zoom(+li.getAttribute('data-i'));
			});
		if (!root.hasAttribute('tabindex'))
			root.setAttribute('tabindex', '0');
		view.draw();
		views.push(view);
	}
	const again = () => views.forEach(v => {
		v.surface.colors = {};
		v.draw();
	});
	window.addEventListener('resize', again);
	window.matchMedia('(prefers-color-scheme: dark)').addEventListener('change', again);
	window.snapflame = views;
}

if (document.readyState === 'loading')
	document.addEventListener('DOMContentLoaded', start);
else
	start();
})();
