/**
 * What pages say in English, by code. Names in braces are filled in, already formatted and made visible.
 * A code added here does not compile until sentences-zh.ts has it too; a test compares the names.
 */
export const SENTENCES_EN = {
  title_request: '{agent} asks for permission to use {skill}',
  title_grant: 'What {agent} may do with {skill}',
  title_difference: 'What {agent} would newly be allowed to do with {skill}',
  heading_what: 'What can it do?',
  heading_spend: 'When may it spend or change something?',
  heading_memory: 'How long is anything remembered?',
  heading_takeBack: 'How do I take it back?',
  heading_recipients: 'Who receives which data?',
  heading_mistakes: 'What if something is misunderstood?',

  claim_purpose: '{agent} gives this reason: {purpose}. Nobody has checked it.',
  claim_no_purpose: '{agent} gives no reason for asking.',
  claim_publisher:
    'The skill says it comes from {publisher}. No internet address has been proven for that name.',
  publisher_domain: 'The skill comes from {publisher}, which has proven that it controls {domain}.',
  claim_deployment: '{agent} says it runs on {model}.',
  claim_deployment_details: 'It says this about the model: {details}.',
  claim_deployment_moving:
    '{model} is a name whose owner can put another model behind it at any time, without anybody noticing here.',
  claim_deployment_none: '{agent} has not said which model it runs on.',
  claim_deployment_limit:
    'Comparing these statements stops a model from changing by accident; it does not stop an agent that lies.',

  what_only_listed: 'It may do only what is listed here. Everything else is refused.',
  what_action: 'It may use {action}.',
  what_action_description: 'The publisher describes {action} like this: {description}',
  what_action_effects: 'The publisher declares that {action} {effects}.',
  what_action_unlimited: 'For {action} you set no limit on the details.',
  what_action_unknown: '{action} is no longer offered by the skill and is refused.',
  deployments_registered: 'It may do so on any model that {agent} has registered, later ones too.',
  deployments_only: 'It may do so only on these registered models: {models}.',
  skill_verifies: 'The skill checks with Countersign’s signature that each call was allowed.',
  skill_guarded:
    'A guard on your own computer asks Countersign before the program acts there by itself. What that program does without asking the guard is not stopped by these limits.',
  skill_does_not_verify:
    'The skill does not check whether a call was allowed by Countersign. Whoever reaches it by another way is not stopped by these limits.',

  constraint_equals: '{action}: {field} must be exactly {value}.',
  constraint_one_of: '{action}: {field} must be one of {values}.',
  constraint_range_between: '{action}: {field} must be between {min} and {max}.',
  constraint_range_min: '{action}: {field} must be at least {min}.',
  constraint_range_max: '{action}: {field} must be at most {max}.',
  constraint_range_any: '{action}: {field} must be a number.',
  constraint_length: '{action}: {field} may have at most {max} characters or entries.',
  constraint_absent: '{action}: {field} must be left out.',
  constraint_origin: '{action}: {field} must be an address at {origins}.',
  constraint_path_prefix: '{action}: {field} must be {prefix} or lie below it.',
  constraint_mail_domain: '{action}: {field} must be a mail address at {domains}.',
  constraint_saved_recipient: '{action}: only to recipients you have saved.',
  constraint_saved_recipient_only: '{action}: only to these saved recipients: {recipients}.',
  constraint_unknown: '{action}: there is a limit that cannot be checked here, so every call is refused.',

  spend_none: 'It cannot spend money.',
  spend_most: '{action}: one call can cost at most {amount}.',
  spend_no_budget:
    '{action}: amounts in {currency} are refused, because there is no budget in that currency.',
  spend_recurs:
    '{action}: the skill may take the amount again by itself, {count} times at most. All of it counts against the budget at once.',
  spend_counts_on:
    'What was spent before this permission counts too, and taking it back does not start a new count.',
  spend_overrun:
    'If the skill takes more than was set aside, Countersign shows it and stops further spending with it. It cannot get the money back.',
  budget_amount: 'All actions together may spend at most {amount} {window}.',
  budget_amount_action: '{action} may spend at most {amount} {window}.',
  budget_count: 'All actions together may happen at most {count} {window}.',
  budget_count_action: '{action} may happen at most {count} {window}.',
  budget_shared: '{agent} is told how much of these budgets is left.',
  budget_not_shared: '{agent} is not told how much of these budgets is left.',

  ask_always: 'You are asked first every time, for {scope}.',
  ask_above_amount: 'You are asked first above {amount}, for {scope}.',
  ask_above_unasked:
    'You are asked first when more than {amount} would go out within {span} without your yes, for {scope}.',
  ask_new_recipient: 'You are asked first when a recipient gets something for the first time, for {scope}.',
  ask_outside_hours: 'You are asked first outside {from} to {to} of your day, for {scope}.',
  ask_after_untrusted: 'You are asked first after it has read content from strangers, for {scope}.',
  ask_too_many: 'You are asked first after {count} within {span}, for {scope}.',
  ask_unknown:
    'There is a rule for asking that cannot be read here, so you are asked every time, for {scope}.',
  ask_default_always: 'You are asked first every time for {action}, because of what it can change.',
  ask_default_untrusted: 'You are asked first for {action} after it has read content from strangers.',
  ask_command:
    'You are asked first about each command of {action} that is not written out here, which cannot be switched off.',
  ask_adds_recipient:
    'You are asked first every time for {action}, because it adds a recipient. This cannot be switched off.',
  ask_payment_without_order:
    'You are asked first for {action} when the payment belongs to no order known here. This cannot be switched off.',
  unasked_always: 'Switched off: you are not asked first for {action}, although it can change a lot.',
  unasked_after_untrusted:
    'Switched off: you are not asked first for {action} after it has read content from strangers.',
  acts_without_asking:
    'Where none of these rules says otherwise, the following happens without asking you: {actions}.',
  acts_always_asked: 'Nothing is changed or spent without asking you first.',
  acts_only_reading: 'It only reads; it changes nothing.',

  memory_none: 'The skill says that none of these actions keeps anything for later.',
  memory_days: 'The skill is told to keep {memory} ({categories}) for {days} at most.',
  memory_session: 'The skill is told to forget {memory} ({categories}) when the session ends.',
  memory_not_kept: 'The skill is told not to keep {memory} ({categories}).',
  memory_agent:
    '{agent} may keep notes of these kinds here, in Countersign, no longer than that: {memory}. You see them and can delete them at any time; then, and when their time is over, they are destroyed.',
  deletion_told:
    'When that time has passed, when you revoke and when you erase, Countersign tells the skill to delete, and shows you what it answered.',
  deletion_within: 'It promises to delete within {span} and to sign that it did.',
  deletion_untold:
    'Nobody can tell this skill to delete: it names nowhere to send that to. That it deletes is only its promise.',
  memory_unseen: 'Countersign cannot look inside the skill; forgetting is something only the skill can do.',

  take_back_any_time: 'You can pause it or take it back at any time. After that, nothing new is allowed.',
  take_back_expires: 'It ends by itself on {date}.',
  take_back_expired: 'It ended by itself on {date}.',
  take_back_one_time: 'It works once and is then used up, whatever comes of it.',
  take_back_not_undone: 'What the skill has already received or done is not called back by that.',
  take_back_told: 'When you take it back, the skill is told at once, and you see whether it confirmed that.',
  take_back_cleanup:
    'Also after that, Countersign may still use these for you, only to clear up what was started: {actions}.',

  recipient_guarded:
    'Nothing is sent to {publisher}. Countersign is told what the program is about to do, keeps that in its log, and is not told what came of it.',
  recipient_endpoint: 'Everything it sends goes to {publisher} at {host}.',
  recipient_gets: 'The skill passes data on to {recipient} ({role}): {categories}.',
  recipient_gets_nothing: 'The skill names {recipient} ({role}) as a recipient, of no data in particular.',
  recipient_refused:
    'You do not allow data to go to {recipient} ({role}), so these actions are refused: {actions}.',
  agent_sees: 'Of the answers, {agent} and its model see: {categories}.',
  agent_sees_nothing: '{agent} and its model see nothing of the answers but whether it worked.',
  agent_model_hosted:
    'What {agent} sees is also seen by {provider}, where it says its model runs: data rests in {region}, computing happens in {scope}.',
  agent_model_self_hosted: '{agent} says its model runs on a machine of its own ({runtime}).',

  mistake_exact_approval:
    'When you are asked, you see exactly what would be sent. Your yes counts for that alone, and once.',
  mistake_preview: '{action} can be previewed with {companion}.',
  mistake_undo: '{action} can be undone with {companion} within {span}, the skill says.',
  mistake_cancel: '{action} can be cancelled with {companion}, the skill says.',
  mistake_stop: '{action} can be stopped with {companion}, the skill says.',
  mistake_status: 'What became of {action} can be looked up with {companion}.',
  mistake_final: '{action} cannot be undone here.',
  mistake_not_reported:
    'What was permitted counts as done: nobody tells Countersign whether it happened, and Countersign cannot undo it.',
  mistake_in_doubt:
    'If it is unclear whether an action happened, its money stays set aside until the skill or an operator settles it.',
  mistake_not_emergency_stop:
    'Countersign is not an emergency stop. Keep the one of the device within reach.',

  title_action: '{agent} wants to use {action} of {skill}',
  action_guarded: 'A program on your own computer would do it by itself. Nothing is sent to {publisher}.',
  action_publisher: 'It would be sent to {publisher} at {host}.',
  action_effects: 'The publisher declares that this {effects}.',
  action_amount: 'It costs at most {amount}. That much is set aside before anything is sent.',
  action_amount_all:
    'It costs at most {amount}, with all {count} repetitions. That much is set aside before anything is sent.',
  action_no_amount: 'No money is set aside for it.',
  action_recipient_saved: 'It goes to {value}, which you saved as {label}.',
  action_recipient_unsaved: 'It goes to {value}, which you have not saved.',
  action_recipient_new: 'It would be the first time that {value} receives something here.',
  action_third_party: 'The skill passes data on to {recipient} ({role}).',
  action_no_arguments: 'Nothing else is sent with it.',
  action_filled: 'Countersign fills in by itself, and {agent} does not see: {fields}.',
  action_preview: 'The skill says that this would happen:',
  action_yes: 'Your yes allows exactly this, once, until {date}. {agent} then has to ask for it again.',
  action_no: 'If you refuse, nothing is sent.',
  why_always: 'You are asked because you are always asked for this.',
  why_above_amount: 'You are asked because it costs more than you let pass without asking.',
  why_above_unasked:
    'You are asked because, together with what went before, it is more than you let pass without asking.',
  why_new_recipient: 'You are asked because somebody receives something for the first time.',
  why_outside_hours: 'You are asked because it is outside the hours you named.',
  why_after_untrusted:
    'You are asked because the agent has read content from strangers, which may have misled it.',
  why_too_many: 'You are asked because this has already happened often.',
  why_adds_recipient: 'You are asked because it adds a recipient.',
  why_payment_without_order: 'You are asked because this payment belongs to no order known here.',

  change_action_added: '{action} is new.',
  change_action_removed: '{action} is no longer offered.',
  change_publisher_changed: '{action}: the publisher was {before} and is now {after}.',
  change_skill_changed: '{action}: the skill was {before} and is now {after}.',
  change_endpoint_changed: '{action}: what is sent went to {before} and now goes to {after}.',
  change_text_changed: '{action}: a text you read was {before} and is now {after}.',
  change_effects_changed: '{action}: what it can do was {before} and is now {after}.',
  change_input_widened: '{action}: it accepts more than before. Before: {before}. Now: {after}.',
  change_result_widened: '{action}: it returns more than before. Before: {before}. Now: {after}.',
  change_field_meaning_changed: '{action}: the meaning of a field was {before} and is now {after}.',
  change_amount_place_changed: '{action}: where the price stands was {before} and is now {after}.',
  change_most_raised: '{action}: the most one call can cost was {before} and is now {after}.',
  change_currency_added: '{action}: it can charge in another currency. Before: {before}. Now: {after}.',
  change_recurrence_changed: '{action}: how often it may charge by itself was {before} and is now {after}.',
  change_payment_link_changed: '{action}: how payments belong to orders was {before} and is now {after}.',
  change_refusal_changed: '{action}: how it says no was {before} and is now {after}.',
  change_key_promise_changed:
    '{action}: whether it promises to act once per request was {before} and is now {after}.',
  change_recipient_added: '{action}: data newly goes to {after}.',
  change_recipient_changed: '{action}: what a recipient is or gets was {before} and is now {after}.',
  change_memory_added: '{action}: the skill newly keeps {after}.',
  change_memory_changed: '{action}: what the skill keeps was {before} and is now {after}.',
  change_retention_longer: '{action}: the skill keeps data longer. Before: {before}. Now: {after}.',
  change_undo_removed: '{action}: it can no longer be undone. Before: {before}.',
  change_undo_shortened: '{action}: the time to undo it was {before} and is now {after}.',
  change_companion_added: '{action}: Countersign may newly call this for you: {after}.',
  change_companion_removed: '{action}: this can no longer be used for it: {before}.',
  change_companion_changed: '{action}: what is called for you was {before} and is now {after}.',
  change_events_removed:
    '{action}: the skill is no longer told at once when you take it back. Before: {before}. Now: {after}.',
  change_deletion_removed:
    '{action}: the skill can no longer be told to delete what it keeps. Before: {before}. Now: {after}.',
  change_deletion_slower:
    '{action}: the skill takes longer to delete what it is told to, in seconds. Before: {before}. Now: {after}.',
  change_guard_removed: '{action}: a protection is gone. Before: {before}. Now: {after}.',
} as const

export type SentenceCode = keyof typeof SENTENCES_EN
