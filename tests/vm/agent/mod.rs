//! The first and only process of the machine that is not rfbridge or a tool: it mounts what a kernel needs, and
//! does what the tests ask for.

mod gpio;
mod input;
mod loopback;
mod process;
mod usb;

use std::{
    fs,
    io::{self, BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use crate::protocol::{Answer, PORT, Request};

/// How often a condition is looked at that nothing reports.
const LOOK: Duration = Duration::from_millis(2);

/// What has to be there before the first request.
const SET_UP: &str = "
    mount -t proc proc /proc
    mount -t sysfs sys /sys
    mount -t devtmpfs dev /dev
    mkdir -p /tmp /run
    mount -t tmpfs tmp /tmp
    # The gadget's keyboard is one of this machine's own too.
    echo 0 > /proc/sys/kernel/ctrl-alt-del
    echo 0 > /proc/sys/kernel/sysrq
    # The kernel loads modules by itself where it needs them.
    echo /bin/modprobe > /proc/sys/kernel/modprobe
    modprobe -a virtio_pci virtio_net
    ip link set lo up
    ip link set eth0 up
    ip addr add 10.0.2.15/24 dev eth0
    modprobe -a libcomposite usbhid hid-generic evdev
    mount -t configfs none /sys/kernel/config
";

/// Runs as the init process; never returns.
pub fn run() -> ! {
    if let Err(error) = serve() {
        println!("agent: {error}");
    }
    loop {
        thread::park();
    }
}

fn serve() -> io::Result<()> {
    let busybox = "/bin/busybox";
    Command::new(busybox)
        .args(["--install", "-s", "/bin"])
        .status()?;
    // SAFETY: no other thread is there yet.
    unsafe { std::env::set_var("PATH", "/bin") };
    // Mount points that the kernel does not make.
    for directory in ["/proc", "/sys", "/dev", "/log"] {
        fs::create_dir_all(directory)?;
    }
    let status = Command::new(busybox).args(["sh", "-c", SET_UP]).status()?;
    if !status.success() {
        println!("agent: setting up ended with {status}");
    }
    let listener = TcpListener::bind(("0.0.0.0", PORT))?;
    println!("agent: ready");
    for connection in listener.incoming() {
        let connection = connection?;
        thread::spawn(move || {
            if let Err(error) = answer(connection) {
                println!("agent: {error}");
            }
        });
    }
    Ok(())
}

fn answer(connection: TcpStream) -> io::Result<()> {
    connection.set_nodelay(true)?;
    let mut reader = BufReader::new(connection.try_clone()?);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let Ok(request) = serde_json::from_str(&line) else {
        return Ok(()); // A connection that was only a try.
    };
    if let Err(error) = carry_out(request, &connection, reader) {
        reply(&connection, &Answer::Failed(error.to_string()))?;
    }
    Ok(())
}

fn carry_out(
    request: Request,
    connection: &TcpStream,
    mut reader: BufReader<TcpStream>,
) -> io::Result<()> {
    let answer = match request {
        Request::Hello => Answer::Done,
        Request::Run { script } => {
            let output = Command::new("/bin/sh")
                .args(["-c", &format!("exec 2>&1; {script}")])
                .stdin(Stdio::null())
                .output()?;
            Answer::Output {
                status: output.status.code().unwrap_or(-1),
                text: String::from_utf8_lossy(&output.stdout).into_owned(),
            }
        }
        Request::Start { program, output } => Answer::Started {
            process: process::start(&program, &output)?,
        },
        Request::Signal { process, signal } => {
            process::signal(process, signal)?;
            Answer::Done
        }
        Request::Usage { process } => Answer::Usage(process::usage(process)?),
        Request::Read { path } => {
            let bytes = fs::read(path)?;
            let length = bytes.len() as u64;
            reply(connection, &Answer::File { length })?;
            let mut connection = connection;
            return connection.write_all(&bytes);
        }
        Request::Write { path, length } => {
            let mut file = fs::File::create(path)?;
            io::copy(&mut io::Read::take(&mut reader, length), &mut file)?;
            Answer::Done
        }
        Request::Await { path, present } => {
            while Path::new(&path).exists() != present {
                thread::sleep(LOOK);
            }
            Answer::Done
        }
        Request::PlugIn => return usb::plug_in(connection, || reply(connection, &Answer::Done)),
        Request::Events => {
            reply(connection, &Answer::Done)?;
            return input::events(connection);
        }
        Request::GpioChip => {
            return gpio::play(connection, reader, || reply(connection, &Answer::Done));
        }
        Request::Led { led, on } => {
            input::set_led(led, on)?;
            Answer::Done
        }
        Request::Feed {
            device,
            fourcc,
            size,
            fps,
        } => {
            let output = loopback::open(&device, fourcc, size)?;
            reply(connection, &Answer::Done)?;
            return loopback::feed(output, &mut reader, fps);
        }
    };
    reply(connection, &answer)
}

fn reply(mut connection: &TcpStream, answer: &Answer) -> io::Result<()> {
    let mut line = serde_json::to_vec(answer).map_err(io::Error::other)?;
    line.push(b'\n');
    connection.write_all(&line)
}
