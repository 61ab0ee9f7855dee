import type { graph as EN } from '../en/graph.ts';
import type { Shape } from '../shape.ts';

/** The dependency graph with the answer of the solver. */
export const graph: Shape<typeof EN> = {
  title: '通往 {{name}} 的路径',
  lead: '发布中的每个镜像：可在何版本上安装、需要什么、与什么冲突。',
  release: '发布',
  label: '镜像以方框按顺序分列；箭头从当前版本指向可后续安装的版本。发布表格包含相同信息。',
  legend: {
    over: '可在其上安装',
    requires: '需要',
    conflicts: '冲突',
  },
  ask: '询问求解器',
  askHint: '某辆车的最短安全路径是什么？或有什么障碍？',
  vehicle: '车辆标识',
  solve: '查找路径',
  path: '存在 {{count}} 步的路径',
  there: '它已运行该发布。',
  step: '第 {{step}} 步：一起安装',
  none: '没有安全路径',
  clash: '这些事实相互矛盾。去掉任意一条即可有路径。',
  kinds: {
    runs: '当前运行',
    goal: '目标',
    'installs-over': '安装条件',
    requires: '需要',
    conflicts: '冲突',
    bound: '搜索上限',
  },
};
