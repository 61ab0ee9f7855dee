import type { problems as EN } from '../en/problems.ts';
import type { Shape } from '../shape.ts';

/** Refusals in words, by their code. */
export const problems: Shape<typeof EN> = {
  REFUSED: '云端拒绝了此操作',
  OFFLINE: '无法连接云端',
  UNEXPECTED_ANSWER: '云端的回答无法被此控制台理解',
  CONSOLE_FAULT: '控制台自身出错',
  QUERY_MALFORMED: '无法读取查询',
  NOT_FOUND: '不存在，或您无权查看',
  FORBIDDEN: '您的角色无权执行此操作',
  UNAUTHENTICATED: '会话已结束：请重新登录',
};
