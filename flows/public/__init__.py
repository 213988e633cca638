"""What the public may ask (data contract 10): one person's points, the coming years, the published rounds.

Facts come in as JSON, an answer goes out; nothing is kept.  The rules, the policy and the checks of a
row are those of the annual run: here they are only asked.

    facts = read_facts(text)           raises BadFacts: one fault a line
    answer(facts)                      points, conditions, receipt, lines and gap, ready for JSON
    answers([facts, ...])              many people of one round for little more than the price of one
    study_or_work(facts)               each credential claimed and not
    forward(facts, growth)             the coming years against chosen lines
    rounds_of(warehouse)               the published rounds, and what may be said of each
"""
