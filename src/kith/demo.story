# The story that `kith demo` plays: who asks the hub what, and which answers are right.
#
#     client NAME terse|full    somebody who plays; the answers NAME wants
#     say TEXT                  printed when the story comes to it
#     ask NAME REQUEST          NAME sends the message REQUEST ...
#     expect ANSWER             ... and this is right; several such lines: any of them is
#     again ANSWER              ... and this is, too, with --hub: on a hub where the story may
#                               have been played before
#     together                  a meeting point: the requests up to `end` are all under way
#     end                       before any of them is answered
#
# An answer is one line. A hub that is asked to QUIT ends, so nobody asks anything after that.
# A story of your own is played by `kith demo --story FILE`.

# A writer and a reader, who want short answers.
client Writer terse
client Reader terse

say TEST CASE: Writer STORE color=blue
ask Writer STORE color = blue
expect 1

say TEST CASE: Reader GET color
ask Reader GET color
expect blue

say TEST CASE (BLANKS AND =): Writer STORE formula=E = m c^2, as they say
ask Writer STORE formula = E = m c^2, as they say
expect 1

say TEST CASE (BLANKS AND =): Reader GET formula
ask Reader GET formula
expect E = m c^2, as they say

say TEST CASE (UPDATE): Writer STORE color=green
ask Writer STORE color = green
expect 1

say TEST CASE (UPDATE): Reader GET color
ask Reader GET color
expect green

say TEST CASE (QUIT IS DATA): Writer STORE motto=we never QUIT
ask Writer STORE motto = we never QUIT
expect 1

say TEST CASE (QUIT IS DATA): Reader GET motto
ask Reader GET motto
expect we never QUIT

say TEST CASE (INVALID KEY): Reader GET no-such-key
ask Reader GET no-such-key
expect ERROR

say TEST CASE (TWO WORDS ARE NO KEY): Writer STORE two words=value
ask Writer STORE two words = value
expect 0

say TEST CASE (NO VALUE): Writer STORE color
ask Writer STORE color
expect 0

say TEST CASE (ANY MESSAGE): Writer Hello, server!
ask Writer Hello, server!
expect Hello, server!

# Alice and Bob, equals, who want full answers.
client Alice full
client Bob full

say TEST CASE: Alice STORE foo=foo-val-none
ask Alice STORE foo = foo-val-none
expect Saved Successfully for key:foo
again Update Successfully for key:foo

say TEST CASE (INVALID KEY): Alice GET abc
ask Alice GET abc
expect Invalid Key:abc

together
say TEST CASE (CONCURRENCY): Alice STORE foo=foo-val-alice
ask Alice STORE foo = foo-val-alice
expect Update Successfully for key:foo
say TEST CASE (CONCURRENCY): Bob STORE foo=foo-val-bob
ask Bob STORE foo = foo-val-bob
expect Update Successfully for key:foo
end

say TEST CASE: Alice GET foo
ask Alice GET foo
expect foo-val-alice
expect foo-val-bob

say TEST CASE: Bob GET foo
ask Bob GET foo
expect foo-val-alice
expect foo-val-bob

say TEST CASE: Bob STORE foo-bob=foo-bob-val-bob
ask Bob STORE foo-bob = foo-bob-val-bob
expect Saved Successfully for key:foo-bob
again Update Successfully for key:foo-bob

say Sending STOP SERVER message to Bob
ask Bob QUIT
expect Server Quitting..!
