import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { campaignSchemas, operatorSchemas } from '@immota/api';

const { campaignPlanSchema } = campaignSchemas;
const { vehiclePatchSchema, pageQuerySchema, tokenRequestSchema } = operatorSchemas;

const campaign = { name: 'Autumn 🚗', releaseId: 'r', query: 'true' };

function isNamed(length: number): boolean {
  return campaignPlanSchema.safeParse({ ...campaign, name: 'x'.repeat(length) }).success;
}

describe('the schemas of the operator API', () => {
  it('take texts of whole characters', () => {
    assert.ok(campaignPlanSchema.safeParse(campaign).success);
  });
  for (const [what, name] of Object.entries({ NUL: 'a\0b', 'half a character': 'a\ud83d' })) {
    it(`refuse a text with ${what}, which no database holds`, () => {
      assert.ok(!campaignPlanSchema.safeParse({ ...campaign, name }).success);
      assert.ok(!vehiclePatchSchema.safeParse({ tags: { [name]: true } }).success);
      assert.ok(!vehiclePatchSchema.safeParse({ tags: { a: name } }).success);
      assert.ok(!pageQuerySchema.safeParse({ after: name }).success);
    });
  }
  it('bound texts on both sides', () => {
    assert.deepEqual(
      [isNamed(0), isNamed(1), isNamed(200), isNamed(201)],
      [false, true, true, false],
    );
  });
  it('bound pages', () => {
    const limits = ['0', '1', '1000', '1001', 'many'];
    assert.deepEqual(
      limits.map((limit) => pageQuerySchema.safeParse({ limit }).success),
      [false, true, true, false, false],
    );
  });
  it('know no role but their own, and give each token an end', () => {
    assert.ok(!tokenRequestSchema.safeParse({ name: 'n', role: 'root' }).success);
    assert.equal(tokenRequestSchema.parse({ name: 'n', role: 'admin' }).ttlDays, 90);
    assert.ok(!tokenRequestSchema.safeParse({ name: 'n', role: 'admin', ttlDays: 3651 }).success);
  });
});
