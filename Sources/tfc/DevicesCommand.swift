internal import ArgumentParser
internal import Driver

struct DevicesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "devices",
    abstract: "Lists the OpenCL devices of this machine.",
    discussion: """
      A device is named by its numbers, as 0:1, or by a part of its name or of its platform's. Where none is named, models \
      take the one that the environment variable TFC_OPENCL_DEVICE names, else the first GPU, else another.

      --describe prints what schedules know of a device, as JSON; --output writes that into a file. Such a file describes \
      the device on machines that do not have it.
      """)

  @Flag(help: "Prints JSON.")
  var json = false

  @Option(help: ArgumentHelp("Describes this device only.", valueName: "device"))
  var describe: String?

  @Option(
    name: [.short, .customLong("output")],
    help: ArgumentHelp(
      "Writes the description into this file; of the device that models take here, unless --describe names one.",
      valueName: "file"))
  var output: String?

  func run() throws {
    if describe == nil, output == nil {
      let devices = try Devices()
      print(json ? devices.json : devices.text, terminator: json ? "\n" : "")
      return
    }
    let device = try Devices.device(named: describe)
    if let output {
      try device.write(to: output)
    } else {
      print(device.text, terminator: "")
    }
  }
}
