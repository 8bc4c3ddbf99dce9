internal import CRuntime

/// The OpenCL devices of this machine.
public struct Devices: Hashable, Sendable {
  public struct Device: Encodable, Hashable, Sendable {
    /// `0:1`: the platform's and the device's number, by which a model's options name it.
    public var number: String
    public var platform: String
    public var type: String
    public var version: String
    public var driver: String
    public var memoryByteCount: Int
    public var hasSubgroups: Bool
    public var fp16: Bool
    public var description: OpenCLDevice

    private enum CodingKeys: String, CodingKey {
      case number, platform, type, version, driver, fp16
      case memoryByteCount = "memory_bytes"
      case hasSubgroups = "subgroups"
    }

    public func encode(to encoder: any Encoder) throws {
      try description.encode(to: encoder)
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(number, forKey: .number)
      try container.encode(platform, forKey: .platform)
      try container.encode(type, forKey: .type)
      try container.encode(version, forKey: .version)
      try container.encode(driver, forKey: .driver)
      try container.encode(memoryByteCount, forKey: .memoryByteCount)
      try container.encode(hasSubgroups, forKey: .hasSubgroups)
      try container.encode(fp16, forKey: .fp16)
    }
  }

  public var devices: [Device]
  /// Platforms without a device too.
  public var platforms: [String]

  /// Throws where OpenCL cannot be loaded; a machine may have it and no device.
  public init() throws(Failure) {
    var machine = try Self.findMachine()
    defer { tfc_opencl_release_machine(&machine) }
    let platforms = (0..<Int(machine.platform_count)).map { Self.text(machine.platforms[$0].name) }
    self.platforms = platforms
    devices = (0..<Int(machine.device_count)).map { Self.device(machine.devices[$0], platforms) }
  }

  /// The device that a model would take whose options name it so, or do not name one: then `TFC_OPENCL_DEVICE` may.
  public static func device(named name: String?) throws(Failure) -> OpenCLDevice {
    var machine = try Self.findMachine()
    defer { tfc_opencl_release_machine(&machine) }
    guard machine.device_count > 0 else { throw .runtime("this machine has no OpenCL device") }
    guard let found = tfc_opencl_best_device(&machine, name) else { throw missing(name) }
    return description(found.pointee)
  }

  /// That none of the machine's devices is named so, by the argument or by the environment.
  private static func missing(_ name: String?) -> Failure {
    let given = name.flatMap { $0.isEmpty ? nil : $0 }
    guard let wanted = given ?? tfc_opencl_wanted(nil).map({ String(cString: $0) }) else {
      return .runtime("no OpenCL device of this machine is available and has a compiler")
    }
    return .refused("no OpenCL device is named '\(wanted)'; `tfc devices` lists them")
  }

  private static func findMachine() throws(Failure) -> tfc_opencl_machine {
    var machine = tfc_opencl_machine()
    var sentence = [CChar](repeating: 0, count: 1024)
    guard tfc_opencl_find_machine(&machine, &sentence, sentence.count) == 0 else {
      throw .runtime(String(decoding: sentence.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self))
    }
    return machine
  }

  private static func device(_ device: tfc_opencl_device, _ platforms: [String]) -> Device {
    Device(
      number: "\(device.platform):\(device.number)", platform: platforms[Int(device.platform)],
      type: String(cString: tfc_opencl_device_type_name(device.type)), version: text(device.version),
      driver: text(device.driver), memoryByteCount: Int(device.memory_byte_count),
      hasSubgroups: device.has_subgroups != 0, fp16: device.has_f16 != 0, description: description(device))
  }

  /// A driver that says nothing, or nonsense, of a number gets the least one.
  private static func description(_ device: tfc_opencl_device) -> OpenCLDevice {
    let itemCount = Int(min(max(device.group_item_count, 1), 1 << 16))
    return OpenCLDevice(
      name: text(device.name), itemCount: itemCount,
      localByteCount: Int(min(max(device.local_byte_count, 0), 1 << 30)),
      subgroupItemCount: min(max(Int(device.subgroup_item_count), 1), itemCount),
      hasShuffles: device.shuffle != 0,
      computeUnitCount: Int(min(max(device.compute_unit_count, 1), 1 << 20)),
      vectorWidth: Int(min(max(device.vector_width, 1), 16)), fp64: device.has_f64 != 0,
      hasTensorInstructions: device.nvidia_capability >= TFC_OPENCL_FRAGMENTS_CAPABILITY)
  }

  /// The text in an array of characters, which Swift sees as a tuple.
  private static func text(_ characters: some Any) -> String {
    withUnsafeBytes(of: characters) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
  }
}

extension Devices {
  public var json: String { JSONText.pretty(devices) }

  /// Some lines for each device.
  public var text: String {
    if platforms.isEmpty { return "no OpenCL device: no platform is found\n" }
    let empty = platforms.filter { platform in !devices.contains { $0.platform == platform } }
    return devices.map(Self.text).joined() + empty.map { "no device of \($0)\n" }.joined()
  }

  private static func text(_ device: Device) -> String {
    let facts = device.description
    let extensions = [
      ("fp64", facts.fp64), ("fp16", device.fp16), ("subgroups", device.hasSubgroups), ("shuffles", facts.hasShuffles),
      ("tensor instructions", facts.hasTensorInstructions),
    ]
    let has = extensions.filter(\.1).map(\.0)
    let groups = "groups of up to \(facts.itemCount) items with \(facts.localByteCount >> 10) kB of local memory"
    return """
      \(device.number)  \(facts.name)
           \(device.type) of \(device.platform), \(device.version), driver \(device.driver)
           \(facts.computeUnitCount) compute units, \(device.memoryByteCount >> 20) MB; \(groups)
           \(facts.subgroupItemCount) items in step, vectors of \(facts.vectorWidth); \
      \(has.isEmpty ? "no extensions" : has.joined(separator: ", "))

      """
  }
}
