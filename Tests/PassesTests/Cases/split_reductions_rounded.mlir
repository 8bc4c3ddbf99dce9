// pass: split-reductions
func.func @pool(%x: tensor<1x36x32x70xf32>) -> tensor<1x70xf32> {
  %z = stablehlo.constant dense<1.5> : tensor<f32>
  %r = stablehlo.reduce(%x init: %z) applies stablehlo.add across dimensions = [1, 2] : (tensor<1x36x32x70xf32>, tensor<f32>) -> tensor<1x70xf32>
  return %r : tensor<1x70xf32>
}
func.func @all(%x: tensor<2x5x7000xi32>, %y: tensor<3x33000xf32>) -> (tensor<i32>, tensor<3xf32>) {
  %z = stablehlo.constant dense<-7> : tensor<i32>
  %low = stablehlo.constant dense<0xFF800000> : tensor<f32>
  %r = stablehlo.reduce(%x init: %z) applies stablehlo.add across dimensions = [0, 1, 2] : (tensor<2x5x7000xi32>, tensor<i32>) -> tensor<i32>
  %s = stablehlo.reduce(%y init: %low) applies stablehlo.maximum across dimensions = [1] : (tensor<3x33000xf32>, tensor<f32>) -> tensor<3xf32>
  return %r, %s : tensor<i32>, tensor<3xf32>
}
func.func @stays(%x: tensor<1x31x37x70xf32>, %y: tensor<16x16x300xf32>, %z: tensor<67x1000xf32>, %n: tensor<?x512xf32>, %l: tensor<4x20000xf32>) -> (tensor<1x70xf32>, tensor<4800xf32>, tensor<1000xf32>, tensor<512xf32>, tensor<4xf32>) {
  %o = stablehlo.constant dense<0.0> : tensor<f32>
  %a = stablehlo.reduce(%x init: %o) applies stablehlo.add across dimensions = [1, 2] : (tensor<1x31x37x70xf32>, tensor<f32>) -> tensor<1x70xf32>
  %f = stablehlo.reshape %y : (tensor<16x16x300xf32>) -> tensor<16x4800xf32>
  %b = stablehlo.reduce(%f init: %o) applies stablehlo.add across dimensions = [0] : (tensor<16x4800xf32>, tensor<f32>) -> tensor<4800xf32>
  %c = stablehlo.reduce(%z init: %o) applies stablehlo.add across dimensions = [0] : (tensor<67x1000xf32>, tensor<f32>) -> tensor<1000xf32>
  %d = stablehlo.reduce(%n init: %o) applies stablehlo.add across dimensions = [0] : (tensor<?x512xf32>, tensor<f32>) -> tensor<512xf32>
  %e = stablehlo.reduce(%l init: %o) applies stablehlo.add across dimensions = [1] : (tensor<4x20000xf32>, tensor<f32>) -> tensor<4xf32>
  return %a, %b, %c, %d, %e : tensor<1x70xf32>, tensor<4800xf32>, tensor<1000xf32>, tensor<512xf32>, tensor<4xf32>
}
func.func @promotes(%x: tensor<512x512xf32>) -> tensor<f64> {
  %z = stablehlo.constant dense<0.0> : tensor<f32>
  %r = "stablehlo.reduce"(%x, %z) ({
  ^bb0(%a: tensor<f64>, %b: tensor<f64>):
    %s = stablehlo.add %a, %b : tensor<f64>
    stablehlo.return %s : tensor<f64>
  }) {dimensions = array<i64: 0, 1>} : (tensor<512x512xf32>, tensor<f32>) -> tensor<f64>
  return %r : tensor<f64>
}
// expect:
func.func public @pool(%x: tensor<1x36x32x70xf32>) -> (tensor<1x70xf32>) {
  %0 = stablehlo.constant dense<1.5> : tensor<f32>
  %1 = stablehlo.reshape %x : (tensor<1x36x32x70xf32>) -> tensor<1x12x3x32x70xf32>
  %2 = stablehlo.constant dense<-0.0> : tensor<f32>
  %3 = stablehlo.reduce(%1 init: %2) applies stablehlo.add across dimensions = [2, 3] : (tensor<1x12x3x32x70xf32>, tensor<f32>) -> tensor<1x12x70xf32>
  %5 = stablehlo.reduce(%3 init: %0) applies stablehlo.add across dimensions = [1] : (tensor<1x12x70xf32>, tensor<f32>) -> tensor<1x70xf32>
  return %5 : tensor<1x70xf32>
}
func.func public @all(%x: tensor<2x5x7000xi32>, %y: tensor<3x33000xf32>) -> (tensor<i32>, tensor<3xf32>) {
  %0 = stablehlo.constant dense<-7> : tensor<i32>
  %1 = stablehlo.constant dense<0xFF800000> : tensor<f32>
  %2 = stablehlo.reshape %x : (tensor<2x5x7000xi32>) -> tensor<16x4375xi32>
  %3 = stablehlo.constant dense<0> : tensor<i32>
  %4 = stablehlo.reduce(%2 init: %3) applies stablehlo.add across dimensions = [1] : (tensor<16x4375xi32>, tensor<i32>) -> tensor<16xi32>
  %6 = stablehlo.reduce(%4 init: %0) applies stablehlo.add across dimensions = [0] : (tensor<16xi32>, tensor<i32>) -> tensor<i32>
  %8 = stablehlo.reshape %y : (tensor<3x33000xf32>) -> tensor<3x15x2200xf32>
  %9 = stablehlo.reduce(%8 init: %1) applies stablehlo.maximum across dimensions = [2] : (tensor<3x15x2200xf32>, tensor<f32>) -> tensor<3x15xf32>
  %11 = stablehlo.reduce(%9 init: %1) applies stablehlo.maximum across dimensions = [1] : (tensor<3x15xf32>, tensor<f32>) -> tensor<3xf32>
  return %6, %11 : tensor<i32>, tensor<3xf32>
}
func.func public @stays(%x: tensor<1x31x37x70xf32>, %y: tensor<16x16x300xf32>, %z: tensor<67x1000xf32>, %n: tensor<?x512xf32> {tfc.extents = [["n_0", "512"]]}, %l: tensor<4x20000xf32>) -> (tensor<1x70xf32>, tensor<4800xf32>, tensor<1000xf32>, tensor<512xf32>, tensor<4xf32>) {
  %0 = stablehlo.constant dense<0.0> : tensor<f32>
  %1 = stablehlo.reduce(%x init: %0) applies stablehlo.add across dimensions = [1, 2] : (tensor<1x31x37x70xf32>, tensor<f32>) -> tensor<1x70xf32>
  %3 = stablehlo.reshape %y : (tensor<16x16x300xf32>) -> tensor<16x4800xf32>
  %4 = stablehlo.reduce(%3 init: %0) applies stablehlo.add across dimensions = [0] : (tensor<16x4800xf32>, tensor<f32>) -> tensor<4800xf32>
  %6 = stablehlo.reduce(%z init: %0) applies stablehlo.add across dimensions = [0] : (tensor<67x1000xf32>, tensor<f32>) -> tensor<1000xf32>
  %8 = stablehlo.reduce(%n init: %0) applies stablehlo.add across dimensions = [0] : (tensor<?x512xf32>, tensor<f32>) -> tensor<512xf32>
  %10 = stablehlo.reduce(%l init: %0) applies stablehlo.add across dimensions = [1] : (tensor<4x20000xf32>, tensor<f32>) -> tensor<4xf32>
  return %1, %4, %6, %8, %10 : tensor<1x70xf32>, tensor<4800xf32>, tensor<1000xf32>, tensor<512xf32>, tensor<4xf32>
}
func.func public @promotes(%x: tensor<512x512xf32>) -> (tensor<f64>) {
  %0 = stablehlo.constant dense<0.0> : tensor<f32>
  %1 = stablehlo.reduce(%x init: %0) across dimensions = [0, 1] : (tensor<512x512xf32>, tensor<f32>) -> tensor<f64> reducer(%arg1: tensor<f64>, %arg2: tensor<f64>)  {
    %2 = stablehlo.add %arg1, %arg2 : tensor<f64>
    stablehlo.return %2 : tensor<f64>
  }
  return %1 : tensor<f64>
}
