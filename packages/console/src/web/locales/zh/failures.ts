import type { failures as EN } from '../en/failures.ts';
import type { Shape } from '../shape.ts';

/** Where failures gather. */
export const failures: Shape<typeof EN> = {
  title: '失败集中处',
  lead: '硬件与之前运行的版本对照。深色单元格指向原因；打开可查看车辆。',
  campaign: '活动',
  hardware: '硬件',
  ranBefore: '之前运行',
  of: '{{outcomes}} 中 {{failures}}',
  open: '{{hardware}} 自 {{source}}：{{outcomes}} 中 {{failures}} 失败。显示车辆。',
  worst: '最严重',
  worstSaid: '运行 {{source}} 的 {{hardware}} 中 {{share}} 失败。',
  codes: '原因',
  legend: '失败比例：浅色低于 1%，其次低于 5%，以及更高。',
  empty: '没有失败',
  emptyHint: '出现首个结果后显示单元格。',
};
