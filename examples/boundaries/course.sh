#!/bin/sh
# A course with so many places, and a student who takes two courses at most.
#
#   ream decide --query '[{"tags":["course:c1"]},{"tags":["student:s7"]}]' \
#     '{"course":"c1","student":"s7","places":3}' -- examples/boundaries/course.sh
jq --unbuffered -c '
  "course:\(.command.course)" as $course | "student:\(.command.student)" as $student
  | [.events[] | select(.type == "Subscribed").tags] as $subscribed
  | def of($tag): [$subscribed[] | select(index($tag))];
    if of($course) | any(index($student)) then {reject: "subscribed already"}
    elif (of($course) | length) >= .command.places then {reject: "the course is full"}
    elif (of($student) | length) >= 2 then {reject: "two courses are enough"}
    else
      {append: {stream: "course-\(.command.course)", type: "Subscribed", tags: [$course, $student]}},
      {ack: .head}
    end'
