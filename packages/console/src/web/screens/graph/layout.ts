/** Lays the images of a release out as a graph, by dagre: what installs over what, what needs what. */
import { Graph, layout } from '@dagrejs/dagre';
import type { Answer } from '../../client/routes.ts';

type Image = Answer<'getRelease'>['images'][number];

/** A box of the drawing. */
export interface GraphBox {
  readonly id: string;
  readonly hardwareId: string;
  readonly version: string;
  readonly kind: 'goal' | 'step' | 'before';
  readonly x: number;
  readonly y: number;
}

/** An arrow of the drawing, as an SVG path. */
export interface GraphArrow {
  readonly from: string;
  readonly to: string;
  readonly kind: 'over' | 'requires' | 'conflicts';
  readonly path: string;
}

/** The drawing and its size. */
export interface GraphDrawing {
  readonly boxes: readonly GraphBox[];
  readonly arrows: readonly GraphArrow[];
  readonly width: number;
  readonly height: number;
}

/** The size of a box. */
export const BOX = { width: 210, height: 56 } as const;

/** Draws the images of a release; images that only stand before others are boxes too. */
export function drawRelease(images: readonly Image[]): GraphDrawing {
  const graph = new Graph({ multigraph: true });
  graph.setGraph({ rankdir: 'LR', nodesep: 28, ranksep: 90, marginx: 24, marginy: 24 });
  graph.setDefaultEdgeLabel(() => ({}));
  const edges = images.flatMap(edgesOf);
  const known = new Map(images.map((image) => [image.name, image]));
  const before = new Map(
    images.flatMap(({ hardwareId, installsOver = [] }) =>
      installsOver.map((name) => [name, hardwareId] as const),
    ),
  );
  const asked = images.flatMap(({ requires, conflicts }) =>
    [...requires, ...conflicts].flatMap(({ hardwareId, images: names }) =>
      names.map((name) => [name, hardwareId] as const),
    ),
  );
  const hardware = new Map([...asked, ...before]);
  const names = [...new Set([...hardware.keys(), ...known.keys()])];
  for (const name of names) graph.setNode(name, { ...BOX });
  for (const { from, to, kind } of edges) graph.setEdge(from, to, {}, kind);
  layout(graph);
  const { width = 0, height = 0 } = graph.graph();
  return {
    width,
    height,
    boxes: names.map((id) => {
      const image = known.get(id);
      const { x = 0, y = 0 } = graph.node(id);
      return {
        id,
        hardwareId: image?.hardwareId ?? hardware.get(id) ?? '',
        version: image?.version ?? '',
        kind: image === undefined ? 'before' : image.isGoal ? 'goal' : 'step',
        x,
        y,
      };
    }),
    arrows: edges.map(({ from, to, kind }) => ({
      from,
      to,
      kind,
      path: pathOf(graph.edge(from, to, kind).points ?? []),
    })),
  };
}

function edgesOf(
  image: Image,
): readonly { readonly from: string; readonly to: string; readonly kind: GraphArrow['kind'] }[] {
  const { name, installsOver = [], requires, conflicts } = image;
  return [
    ...installsOver.map((from) => ({ from, to: name, kind: 'over' as const })),
    ...requires.flatMap(({ images }) =>
      images.map((from) => ({ from, to: name, kind: 'requires' as const })),
    ),
    ...conflicts.flatMap(({ images }) =>
      images.map((from) => ({ from, to: name, kind: 'conflicts' as const })),
    ),
  ];
}

function pathOf(points: readonly { readonly x: number; readonly y: number }[]): string {
  return points
    .map(({ x, y }, index) => `${index === 0 ? 'M' : 'L'}${x.toFixed(1)} ${y.toFixed(1)}`)
    .join(' ');
}
