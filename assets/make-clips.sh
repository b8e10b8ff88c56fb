#!/bin/sh
# Makes the two clips that the demo participants send: ten seconds of 1280x720 at 30 frames a second, each with a moving
# picture and another voice. Needs an ffmpeg with libflite, libfreetype and libx264 (Debian's has them) and DejaVu Sans
# (package fonts-dejavu-core). Run it in any folder: sh assets/make-clips.sh
set -eu
cd "$(dirname "$0")"

# name, voice of flite, two colours of the background, colour of the disc, what is said
clip() {
  name=$1 voice=$2 from=$3 to=$4 disc=$5 text=$6
  initial=$(printf %.1s "$name" | tr a-z A-Z)
  label=$(printf %s "$initial"; printf %s "${name#?}")
  font=/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf
  ffmpeg -nostdin -hide_banner -v error -y \
    -f lavfi -i "gradients=s=1280x720:r=30:d=10:c0=$from:c1=$to:x0=0:y0=0:x1=1280:y1=720:nb_colors=2:speed=0.02" \
    -f lavfi -i "color=c=$disc:s=300x300:r=30:d=10" \
    -f lavfi -i "flite=voice=$voice:text='$text'" \
    -filter_complex "
      [2:a]aresample=48000,adelay=300:all=1,apad,atrim=end=10,volume=1.6,alimiter=limit=0.8:level=disabled,asplit=3[sound][a1][a2];
      [1:v]format=yuva420p,geq=lum='lum(X,Y)':cb='cb(X,Y)':cr='cr(X,Y)':a='255*clip(150-hypot(X-149.5,Y-149.5),0,1)',
        drawtext=fontfile=$font:text=$initial:fontsize=150:fontcolor=white:x=(w-tw)/2:y=(h-th)/2[disc];
      [a1]showwaves=s=1280x220:r=30:mode=cline:colors=white@0.85:draw=full:scale=sqrt,format=yuva420p[wave];
      [a2]showfreqs=s=320x120:r=30:mode=bar:ascale=sqrt:fscale=log:win_size=2048:colors=white,format=rgba,
        colorkey=black:0.2:0.1[bars];
      [0:v][wave]overlay=0:470:format=auto[v1];
      [v1][disc]overlay=x='490+170*sin(t*0.9)':y='150+45*sin(t*1.7)':format=auto[v2];
      [v2][bars]overlay=920:40:format=auto,
        drawbox=x='mod(t*128\,1280)':y=700:w=8:h=20:color=white@0.9:t=fill,
        drawtext=fontfile=$font:text=$label:fontsize=44:fontcolor=white:x=40:y=36:shadowx=2:shadowy=2,
        drawtext=fontfile=$font:text='%{pts\:hms}':fontsize=34:fontcolor=white:x=40:y=96:shadowx=2:shadowy=2,
        format=yuv420p[picture]" \
    -map '[picture]' -map '[sound]' -t 10 \
    -c:v libx264 -preset veryslow -profile:v high -b:v 430k -maxrate 900k -bufsize 1800k -g 60 \
    -c:a aac -b:a 64k -ac 1 -movflags +faststart -map_metadata -1 -fflags +bitexact -flags +bitexact "$name.mp4"
}

clip alice slt 0x0b3d6b 0x1fa2a6 0xe8743b \
  "Hello, this is Alice. I am sending ten seconds of picture and speech, again and again, so that you can see and hear that the meeting works. Can you hear me?"
clip bob rms 0x4a1942 0x2f2f6f 0x3fa34d \
  "Good morning, Bob here. My picture has a clock and a moving bar, and the wave below follows my voice. Peter Piper picked a peck of peppers."
ls -l alice.mp4 bob.mp4
