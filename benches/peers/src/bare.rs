//! The engine in bare wasmtime: the cost of the boundary without a runtime that pools instances and
//! checks their answers.

use std::hint::black_box;

use scopegate_api::abi::Failure;
use scopegate_benches::hot_path::Step;
use scopegate_runtime::ENGINE_WASM;
use wasmtime::{
    Config, Engine, Instance, Memory, Module, Store, TypedFunc, WasmParams, WasmResults,
};

/// Machine code of the engine, of which instances are made.
pub(crate) struct Code {
    engine: Engine,
    module: Module,
    epochs: bool,
}

impl Code {
    /// With epochs a host can interrupt the engine, for which each loop looks at a counter.
    pub(crate) fn new(epochs: bool) -> Self {
        let mut config = Config::new();
        config.epoch_interruption(epochs);
        let engine = Engine::new(&config).expect("a compiler");
        let module = Module::new(&engine, ENGINE_WASM).expect("the engine");
        Self { engine, module, epochs }
    }
}

/// An instance.
pub(crate) struct Bare {
    store: Store<()>,
    instance: Instance,
    memory: Memory,
    /// The offset of the input.
    input_offset: usize,
}

/// Bytes of the input buffer: more than any input here.
const INPUT: u32 = 1 << 17;

impl Bare {
    pub(crate) fn new(code: &Code) -> Self {
        let mut store = Store::new(&code.engine, ());
        if code.epochs {
            store.set_epoch_deadline(1);
        }
        let instance = Instance::new(&mut store, &code.module, &[]).expect("an instance");
        let memory = instance.get_memory(&mut store, "memory").expect("a memory");
        let mut bare = Self { store, instance, memory, input_offset: 0 };
        let input = bare.function::<u32, u32>("scopegate_input");
        bare.input_offset = bare.call(&input, INPUT) as usize;
        bare
    }

    pub(crate) fn function<P: WasmParams, R: WasmResults>(
        &mut self,
        name: &str,
    ) -> TypedFunc<P, R> {
        self.instance.get_typed_func(&mut self.store, name).expect("an export")
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) {
        self.memory.write(&mut self.store, self.input_offset, bytes).expect("room for the bytes");
    }

    pub(crate) fn call<P: WasmParams, R: WasmResults>(
        &mut self,
        function: &TypedFunc<P, R>,
        parameters: P,
    ) -> R {
        function.call(&mut self.store, parameters).expect("an answer")
    }

    /// Calls a fallible export, which does not fail here.
    pub(crate) fn ask<P: WasmParams>(
        &mut self,
        function: &TypedFunc<P, u64>,
        parameters: P,
    ) -> u64 {
        let result = self.call(function, parameters);
        assert!(Failure::unpack(result).is_none(), "the engine refuses: {result:x}");
        result
    }

    /// The bytes of a call's result.
    pub(crate) fn taken(&self, result: u64) -> Vec<u8> {
        let (address, length) = ((result >> 32) as usize, result as u32 as usize);
        self.memory.data(&self.store)[address..address + length].to_vec()
    }
}

/// A call that only returns a number, after copying one of these texts, if any.
pub(crate) fn idle(code: &Code, texts: &[&str]) -> Step {
    let mut bare = Bare::new(code);
    let version = bare.function::<(), u32>("scopegate_abi_version");
    let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
    Box::new(move |count| {
        if let Some(index) = count.checked_rem(texts.len()) {
            bare.write(black_box(texts[index].as_bytes()));
        }
        black_box(bare.call(&version, ()));
    })
}
