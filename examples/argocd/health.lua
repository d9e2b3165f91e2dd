-- Health of Usher's kinds for Argo CD, by the conditions that kstatus reads.
local health = {status = "Progressing", message = "Usher has not looked at it yet"}

if obj.metadata.deletionTimestamp ~= nil then
  health.message = "is being deleted"
  return health
end
if obj.status == nil or obj.status.conditions == nil then
  return health
end
-- A status of an earlier spec says nothing of this one.
if obj.status.observedGeneration ~= nil and obj.metadata.generation ~= nil
    and obj.status.observedGeneration < obj.metadata.generation then
  health.message = "Usher has not looked at the change yet"
  return health
end

local conditions = {}
for _, condition in ipairs(obj.status.conditions) do
  conditions[condition.type] = condition
end
if conditions.Stalled ~= nil and conditions.Stalled.status == "True" then
  return {status = "Degraded", message = conditions.Stalled.message}
end
if conditions.Ready ~= nil then
  health.message = conditions.Ready.message
  if conditions.Ready.status == "True" then
    -- Ready says that nothing is left to do; somebody who holds an object wants to see that.
    health.status = conditions.Ready.reason == "Paused" and "Suspended" or "Healthy"
  end
end
return health
