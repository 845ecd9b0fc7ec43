"""Passwords that are tried first: those that head every list of leaked ones, made from their building blocks.

A short list on purpose. Who wants the long ones gives ``CommonPasswordValidator`` a file.
"""

from __future__ import annotations

from typing import Final

_WORDS: Final = """
abc access admin alexander amanda andrea andrew angel angela anthony apple arsenal ashley austin baby babygirl badboy
bailey banana barcelona baseball basketball batman beautiful benjamin biteme blink182 boomer booboo bond007 brandon
brandy bubbles buster butter butterfly captain carlos changeme charles charlie chelsea cheese cherry chicken chocolate
chris cocacola coffee computer cookie corvette cowboy daniel danielle default dallas death diamond doctor dolphin
donald dragon drowssap eagle eminem fender ferrari fishing flower football forever freedom friend friends gandalf
george gfhjkm ginger golden golfer google guest guitar hammer hannah harley heather hello hockey hottie hunter iceman
iloveyou internet jackson jasmine jasper jennifer jessica johnny jordan joseph joshua junior justin killer knight
ladies lakers lauren letmein liverpool login london loveme lovely lover maggie marina marlboro martin master matrix
matthew melissa mercedes merlin michael michelle mickey midnight money monica monkey monster morgan mother muffin
mustang nathan naruto newyork nicholas nicole nothing oliver orange pass passw0rd password patrick peanut pepper
phoenix player please pokemon porsche princess private purple qazwsx qwerty qwertyuiop rabbit rachel raiders rainbow
ranger richard robert root rosebud russia samantha samsung samuel scooter secret senha shadow silver simple slayer
slipknot snoopy soccer sophie spiderman startrek starwars steelers stella steven success summer sunflower sunshine
superman sweety system taylor temp tennis test tester testing thomas thunder tigger tinkerbell toor trustno1 user
vanessa victoria warrior welcome whatever william winner winter xxxxxx yankees yellow zaq12wsx zxcvbn zxcvbnm
"""
_ENDINGS: Final = ("", "1", "12", "123", "1234", "12345", "!", "1!", "123!", "2023", "2024", "2025", "2026")

_RUNS: Final = """
000000 00000000 0123456789 102030 111111 1111111 11111111 1111111111 112233 11223344 121212 12121212 123123 123123123
12321 123321 1234 12345 123456 1234567 12345678 123456789 1234567890 12344321 1234qwer 123654 123abc 123qwe 131313
134679 147258 147258369 147852 159357 159753 1a2b3c 1a2b3c4d 1q2w3e 1q2w3e4r 1q2w3e4r5t 1qaz2wsx 1qazxsw2 20202020
222222 22222222 232323 246810 252525 333333 444444 456789 50cent 555555 55555555 654321 666666 6969 696969 741852
741852963 777777 7777777 77777777 7654321 789456 789456123 87654321 8675309 88888888 888888 963852741 987654 987654321
99999999 999999 a123456 a1b2c3 a1b2c3d4 a12345 a123456789 aa123456 aaaaaa aaaaaaaa abc123 abcd1234 abcdef abcdefg
abcdefgh asd123 asdasd asdf1234 asdfasdf asdfgh asdfghjk asdfghjkl azerty azertyuiop iloveu li4ever love123 lol123
ncc1701 ncc1701d p@ssw0rd p@ssword pa55word pa55w0rd pass1234 q1w2e3 q1w2e3r4 q1w2e3r4t5 qazwsxedc qqqqqq qwe123
qwer1234 qwerty7 qweasd qweasdzxc qweqwe r2d2c3po rush2112 thx1138 wsxedc zxcv1234 zxczxc zzzzzz
"""

COMMON_PASSWORDS: Final = frozenset(_RUNS.split()) | {word + ending for word in _WORDS.split() for ending in _ENDINGS}
"""All of them, in lower case."""
