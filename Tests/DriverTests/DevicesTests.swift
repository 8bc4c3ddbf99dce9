import Codegen
import Foundation
import Testing

@testable import Driver

/// `tfc devices`, and files that describe a device.
@Suite struct DevicesTests {
  private static let device = OpenCLDevice(
    name: "a \"device\"", itemCount: 1024, localByteCount: 49152, subgroupItemCount: 32, hasShuffles: true,
    computeUnitCount: 132, vectorWidth: 4, fp64: true, hasTensorInstructions: false)

  @Test func whatIsWrittenIsRead() throws {
    let fixture = try Fixture()
    try Self.device.write(to: fixture.path("device.json"))
    let read = try OpenCLDevice(reading: fixture.path("device.json"))
    #expect(read == Self.device)
    #expect(read.workGroups.itemCount == 1024 && read.workGroups.localByteCount == 49152)
    #expect(read.workGroups.hasShuffles && read.workGroups.vectorByteCount == 16)
    #expect(read.workGroups.subgroupItemCount == 32 && read.workGroups.computeUnitCount == 132)
  }

  /// Vectors of 16 bytes at least, whatever the device prefers.
  @Test(arguments: [(1, 16), (4, 16), (7, 16), (8, 32), (15, 32), (16, 64)])
  func vectorsAreThoseThatTheDevicePrefers(_ width: Int, _ byteCount: Int) {
    var device = Self.device
    device.vectorWidth = width
    #expect(device.workGroups.vectorByteCount == byteCount)
  }

  @Test func olderFilesAreRead() throws {
    let fixture = try Fixture()
    let text = Self.device.text.replacing("{", with: "{ \"fp16\" : false,", maxReplacements: 1)
    #expect(try OpenCLDevice(reading: fixture.write(text, "older.json")) == Self.device)
  }

  private static let hostile: [(from: String, to: String, message: String)] = [
    ("1024", "0", "the field 'group_items' is 0, expected 1 to 65536"),
    ("1024", "-9223372036854775808", "the field 'group_items' is -9223372036854775808, expected"),
    ("1024", "99999999999999999999", "it describes no device"),
    ("1024", "1e300", "it describes no device"),
    ("1024", "\"1024\"", "the field 'group_items' is no whole number"),
    ("1024", "[1024]", "it describes no device"),
    ("1024", "16", "the field 'subgroup_items' is 32, expected 1 to 16"),
    ("49152", "1.5", "it describes no device"),
    ("132", "null", "it describes no device"),
    ("132", "true", "the field 'compute_units' is no whole number"),
    ("true", "1", "the field 'fp64' is neither true nor false"),
    ("\"fp64\"", "\"half\"", "a device has no field 'half'; expected name, group_items"),
    ("\"name\" : \"a \\\"device\\\"\",", "", "the field 'name' is missing"),
    ("\"vector_width\" : 4", "\"vector_width\" : 17", "the field 'vector_width' is 17, expected 1 to 16"),
    ("{", "[", "it describes no device"),
    ("{", String(repeating: "{\"a\":", count: 10_000), "it describes no device"),
    ("{", String(repeating: " ", count: 70_000), "expected a device in at most 65536"),
    ("}", "", "it describes no device"),
  ]

  @Test(arguments: hostile.indices) func otherFilesAreRefused(_ index: Int) throws {
    let fixture = try Fixture()
    let (from, to, message) = Self.hostile[index]
    let text = Self.device.text.replacing(from, with: to, maxReplacements: 1)
    #expect(text != Self.device.text)
    let path = try fixture.write(text, "device.json")
    do throws(Failure) {
      _ = try OpenCLDevice(reading: path)
      Issue.record("\(to) is taken")
    } catch {
      #expect(error.exitCode == 2)
      #expect(error.description.hasPrefix("\(path): error: "), "\(error)")
      #expect(error.description.contains(message), "\(error)")
    }
  }

  @Test func theCommandListsDescribesAndRefuses() throws {
    let fixture = try Fixture()
    let listed = try fixture.tfc("devices", "--json")
    // A machine without OpenCL's loader says so.
    if listed.code == 3 {
      #expect(listed.error.contains("OpenCL cannot be loaded"), "\(listed.error)")
      return
    }
    let devices = try #require(
      try JSONSerialization.jsonObject(with: Data(listed.output.utf8)) as? [[String: Any]], "\(listed.error)")
    #expect(try fixture.tfc("devices").code == 0)
    guard let first = devices.first, let name = first["name"] as? String else {
      #expect(try fixture.tfc("devices", "-o", "device.json").code == 3)
      return
    }
    #expect(try fixture.tfc("devices", "--describe", "0:0", "-o", "device.json").code == 0)
    #expect(try OpenCLDevice(reading: fixture.path("device.json")).name == name)
    let described = try fixture.tfc("devices", "--describe", name)
    #expect(described.output.contains("\"group_items\""), "\(described.error)")
    let unknown = try fixture.tfc("devices", "--describe", "no such device")
    #expect(unknown.code == 2 && unknown.error.contains("no OpenCL device is named 'no such device'"))
    // The environment names the device as it does for models, unless an argument does.
    func choose(_ variable: String, _ arguments: String...) throws -> Fixture.Outcome {
      try fixture.run("/usr/bin/env", ["TFC_OPENCL_DEVICE=\(variable)", Fixture.tool, "devices"] + arguments)
    }
    let other = try choose("nor this one", "-o", "device.json")
    #expect(other.code == 2 && other.error.contains("no OpenCL device is named 'nor this one'"), "\(other.error)")
    #expect(try choose("nor this one", "--describe", "0:0").output == choose("0:0", "--describe", "").output)
    try fixture.write(Fixture.layer, "layer.mlir")
    let native = try fixture.run(
      "/usr/bin/env",
      [
        "TFC_OPENCL_DEVICE=nor this one", Fixture.tool, "compile", "layer.mlir", "--target", "opencl", "--device",
        "native", "--emit", "opencl",
      ])
    #expect(native.code == 2 && native.error.contains("no OpenCL device is named 'nor this one'"), "\(native.error)")
  }
}
